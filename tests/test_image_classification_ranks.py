"""Tasks 3 and 4 of project 2's reference solution on two processes, which are to be like one with twice the batch."""

import os
import subprocess
import sys
from pathlib import Path

import image_classification_solved as shared
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file

HERE = Path(__file__)
solved, accelerator = shared.solved, shared.accelerator
LABELS, IMAGES, network, loader = shared.LABELS, shared.IMAGES, shared.network, shared.loader

TWO_RANKS = """
import dataclasses, os, sys, torch
sys.path[:0] = sys.argv[1:3]
from accelerate import Accelerator, debug_launcher
from evaluate import evaluate, predict
from image_classification_solved import loader, network
from train import TrainConfig, save_model, train

def main():
    # as every launcher but this one does: it tells who prints
    os.environ["LOCAL_RANK"] = str(torch.distributed.get_rank())
    accelerator = Accelerator(cpu=True, gradient_accumulation_steps=2)
    assert accelerator.num_processes == 2
    config = TrainConfig(epochs=3, lr=0.3, max_grad_norm=0.1, warmup_fraction=0.3, checkpoint_dir=sys.argv[3] + "/kept")
    model = network()
    history = train(model, loader(16, 2), loader(11, 3), accelerator, config)
    save_model(model, accelerator, sys.argv[3] + "/new/model.safetensors")
    y_true, logits = predict(model, loader(11, 3), accelerator)
    found = evaluate(model, loader(11, 3), accelerator)
    uneven = train(network(), loader(11, 3), loader(), accelerator, TrainConfig(epochs=1, lr=0.0))
    report = {"state": model.state_dict(), "history": dataclasses.asdict(history), "logits": torch.tensor(logits),
              "y_true": torch.tensor(y_true), "loss": found.loss, "uneven": uneven.train_loss}
    torch.save(report, f"{sys.argv[3]}/rank{accelerator.process_index}.pt")

torch.set_num_threads(1)
debug_launcher(main, num_processes=2)
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="the two ranks are forked")
def test_two_processes_are_one_with_twice_the_batch(solved, accelerator, tmp_path):
    command = [sys.executable, "-c", TWO_RANKS, str(shared.SOLUTION), str(HERE.parent), str(tmp_path)]
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, capture_output=True, text=True, timeout=240, env=environment)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("epoch 3: training") == 1
    config = solved.train.TrainConfig(epochs=3, lr=0.3, max_grad_norm=0.1, warmup_fraction=0.3)
    model = network()
    history = solved.train.train(
        model, loader(16, 4), loader(11, 6), accelerator(gradient_accumulation_steps=2), config
    )
    logits = model.eval()(IMAGES[:11]).detach()
    untrained = F.cross_entropy(network()(IMAGES[:11]), LABELS[:11]).item()
    for rank in (0, 1):
        got = torch.load(tmp_path / f"rank{rank}.pt", weights_only=True)
        torch.testing.assert_close(got["state"], model.state_dict(), atol=1e-5, rtol=1e-4)
        for name in ("train_loss", "train_accuracy", "val_loss", "val_accuracy", "lr"):
            np.testing.assert_allclose(got["history"][name], getattr(history, name), rtol=1e-4, err_msg=name)
        torch.testing.assert_close(got["logits"], logits, atol=1e-4, rtol=1e-4)
        assert torch.equal(got["y_true"], LABELS[:11])
        assert got["loss"] == pytest.approx(F.cross_entropy(logits, LABELS[:11]).item(), rel=1e-4)
        assert got["uneven"] == [pytest.approx(untrained, rel=1e-5)]
    assert load_file(tmp_path / "new/model.safetensors").keys() == network().state_dict().keys()
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == ["epoch_1", "epoch_2", "epoch_3"]
