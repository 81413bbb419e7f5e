"""Project 2's main.py, with the reference solution behind it, from the outside."""

import csv
import json
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import reports
import torch
from accelerate import Accelerator
from accelerate.state import AcceleratorState, GradientState
from PIL import Image
from safetensors.torch import load_file, save_file
from solved import modules_of
from torchvision.datasets import CIFAR10

ROOT = Path(__file__).resolve().parents[1]
SOLUTION = ROOT / "solutions/image_classification"
FIXTURE = ROOT / "fixtures/image_classification"
REAL = ROOT.parent / "shared/real/image_classification/cifar10_kaggle_subset.zip"
MODULES = ("data", "model", "train", "evaluate", "visualize", "bonus", "main")
QUICK = ("--network", "cifar_resnet8", "--weights", "none", "--head-epochs", "1", "--batch-size", "16")
ASKED = ["2", "10", "1", "33", "7"]  # test images, in an order of their own
FIGURES = {f"{name}.png" for name in ("1_history", "2_confusion", "3_predictions", "4_robustness")}
WRITTEN = {*FIGURES, "metrics.json", "report.html", "model.safetensors", "robustness.csv", "submission.csv"}


@pytest.fixture(scope="module")
def solved() -> SimpleNamespace:
    return modules_of("image_classification", MODULES)


@pytest.fixture(autouse=True)
def one_thread(monkeypatch):
    """Neither an Accelerator nor a number of threads survives a test."""
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ACCELERATE_USE_CPU", "1")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    forget()
    torch.set_num_threads(threads)


def forget() -> None:
    AcceleratorState._reset_state(True)
    GradientState._reset_state()


@pytest.fixture
def tiny(tmp_path) -> Path:
    """Kaggle's layout with 12 images each of three classes, of ids that sort otherwise as text, and 5 to be labelled."""
    with open(FIXTURE / "trainLabels.csv", newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["label"] in ("heart", "key", "star")]
    rows = [row for name in ("key", "star", "heart") for row in [row for row in rows if row["label"] == name][:12]]
    folder = tmp_path / "tiny"
    for part in ("train", "test"):
        (folder / part).mkdir(parents=True)
    for row in rows:
        shutil.copy(FIXTURE / f"train/{row['id']}.png", folder / "train")
    for name in ASKED:
        shutil.copy(FIXTURE / f"test/{name}.png", folder / "test")
    (folder / "trainLabels.csv").write_text("\n".join(["id,label", *(f"{row['id']},{row['label']}" for row in rows)]))
    (folder / "sampleSubmission.csv").write_text("\n".join(["id,label", *(f"{name},star" for name in ASKED)]))
    return folder


def start(solved, monkeypatch, *arguments: object) -> int:
    """Run main.py's main in this process."""
    monkeypatch.setattr(sys, "argv", ["main.py", *map(str, arguments)])
    forget()
    return solved.main.main()


def test_a_folder_of_kaggles_is_run_from_end_to_end(solved, monkeypatch, capsys, tiny, tmp_path):
    out, weights = tmp_path / "out", tmp_path / "weights.safetensors"
    before = solved.model.make_network("cifar_resnet8").state_dict()
    save_file(before, weights)
    assert start(solved, monkeypatch, "--data", tiny, "--out", out, *QUICK, "--epochs", 2, "--weights", weights) == 0
    assert {path.name for path in out.iterdir()} == WRITTEN
    assert all((out / name).read_bytes().startswith(b"\x89PNG") for name in FIGURES)
    metrics = json.loads((out / "metrics.json").read_text())
    reports.assert_whole(out)
    assert reports.headlines(out)["accuracy on test images"] == metrics["test"]["accuracy"]
    assert metrics["images"] == {"train": 24, "val": 6, "test": 6}
    assert {len(values) for values in metrics["history"].values()} == {3}
    assert f"Test: accuracy {metrics['test']['accuracy']:.3f}" in capsys.readouterr().out
    with open(out / "submission.csv", newline="", encoding="utf-8") as file:
        header, *rows = csv.reader(file)
    assert [header[0], header[1], *(row[0] for row in rows)] == ["id", "label", *ASKED]
    assert {row[1] for row in rows} <= {"heart", "key", "star"}

    model = solved.model.build_classifier(solved.model.make_network("cifar_resnet8"), 3)
    after = load_file(out / "model.safetensors")
    model.load_state_dict(after)
    moved = (after["backbone.conv1.weight"] - before["conv1.weight"]).abs().max()
    assert 0 < moved < 0.5 * before["conv1.weight"].abs().max(), "it starts from the weights and trains all of them"
    images = read(solved, tiny)
    with torch.no_grad():
        logits = model.eval()(torch.stack([image for image, _ in images.test_set]))
    right = logits.argmax(dim=1) == torch.tensor([label for _, label in images.test_set])
    assert right.float().mean().item() == pytest.approx(metrics["test"]["accuracy"])


def read(solved, folder: Path, **options: object):
    """What main.py makes of a folder."""
    forget()
    args = SimpleNamespace(**{"download": False, "seed": 0} | options)
    return solved.main.read_images(args, Accelerator(cpu=True), folder, 32)


def test_parts_are_disjoint_and_only_training_is_augmented(solved, tiny):
    images = read(solved, tiny)
    places = [*images.train_set.indices, *images.val_set.indices, *images.test_set.indices]
    assert sorted(places) == list(range(36))
    assert images.undisturbed.indices == images.test_set.indices
    labels = solved.data.ImageFolderCSV(tiny / "train", tiny / "trainLabels.csv").labels
    for part, each in ((images.train_set, 8), (images.val_set, 2), (images.test_set, 2)):
        assert np.bincount([labels[place] for place in part.indices]).tolist() == [each] * 3
    for part in (images.val_set, images.test_set):
        assert all(torch.equal(part[i][0], part[i][0]) for i in range(len(part)))
    assert any(not torch.equal(images.train_set[0][0], images.train_set[0][0]) for _ in range(20))

    with open(tiny / "trainLabels.csv", newline="", encoding="utf-8") as file:
        ids = [row["id"] for row in csv.DictReader(file)]
    trained = np.stack([np.asarray(Image.open(tiny / f"train/{ids[i]}.png")) for i in images.train_set.indices]) / 255
    np.testing.assert_allclose(images.mean, trained.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(images.std, trained.std(axis=(0, 1, 2)), rtol=1e-6)
    mean, std = (torch.tensor(values).reshape(3, 1, 1) for values in (images.mean, images.std))
    shown = images.test_set[0][0] * std + mean
    torch.testing.assert_close(shown, images.undisturbed[0][0], atol=1e-5, rtol=0)


class SmallCIFAR10(CIFAR10):
    """torchvision's reader, of files whose sums it does not know."""

    train_list, test_list = [["data_batch_1", None]], [["test_batch", None]]
    meta = {"filename": "batches.meta", "key": "label_names", "md5": None}  # noqa: RUF012


def test_torchvisions_layout_keeps_its_own_test_images(solved, monkeypatch, tmp_path):
    rng, folder = np.random.default_rng(0), tmp_path / "cifar-10-batches-py"
    folder.mkdir()
    for name, n in (("data_batch_1", 40), ("test_batch", 10)):
        batch = {"data": rng.integers(0, 256, (n, 3072), dtype="uint8"), "labels": [i % 2 for i in range(n)]}
        (folder / name).write_bytes(pickle.dumps(batch))
    (folder / "batches.meta").write_bytes(pickle.dumps({"label_names": ["cat", "dog"]}))
    monkeypatch.setattr(solved.main, "CIFAR10", SmallCIFAR10)
    images = read(solved, tmp_path)
    assert sorted([*images.train_set.indices, *images.val_set.indices]) == list(range(40))
    assert (len(images.val_set), len(images.test_set), images.classes) == (6, 10, ["cat", "dog"])
    first = torch.from_numpy(pickle.loads((folder / "test_batch").read_bytes())["data"][0]).reshape(3, 32, 32) / 255
    torch.testing.assert_close(images.undisturbed[0][0], first)


def test_a_resumed_run_ends_as_one_that_was_never_stopped(solved, monkeypatch, capsys, tiny, tmp_path):
    checkpoints, whole, again = tmp_path / "checkpoints", tmp_path / "whole", tmp_path / "again"
    run = ("--data", tiny, "--epochs", 2, "--checkpoints", checkpoints, *QUICK)
    assert start(solved, monkeypatch, *run, "--out", whole) == 0
    assert {path.name for path in checkpoints.iterdir()} == {"head", "everything"}
    (checkpoints / "everything/epoch_2").unlink()
    capsys.readouterr()
    assert start(solved, monkeypatch, *run, "--out", again, "--resume") == 0
    assert [line[:7] for line in capsys.readouterr().out.splitlines() if line.startswith("epoch")] == ["epoch 2"]
    wanted, found = load_file(whole / "model.safetensors"), load_file(again / "model.safetensors")
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)
    history = [json.loads((out / "metrics.json").read_text())["history"]["val_loss"] for out in (whole, again)]
    assert history[0] == history[1]


def test_the_newest_checkpoint_is_that_of_the_highest_number(solved, tmp_path):
    assert solved.main.newest_checkpoint(tmp_path / "absent") is None
    for name in ("epoch_2", "epoch_10", "epoch_9", "epoch_11.part"):
        (tmp_path / name).touch()
    assert solved.main.newest_checkpoint(tmp_path) == tmp_path / "epoch_10"


UNUSABLE = ("absent, a file, no label, no table, image missing, no image, test missing, few, bad out, no cifar, unpublished, "
            "weights absent, weights damaged, pt damaged, other weights, network, nothing to resume")  # fmt: skip


@pytest.mark.parametrize("case", UNUSABLE.split(", "))
def test_unusable_files_end_in_one_line_and_exit_2(solved, monkeypatch, capsys, tiny, tmp_path, case):
    data, table, extra = tiny, tiny / "trainLabels.csv", [*QUICK, "--out", tmp_path / "out"]
    damaged = tmp_path / ("damaged.pt" if case == "pt damaged" else "damaged.safetensors")
    damaged.write_text("Dear diary, I saw a frog.\n")
    match case:
        case "absent" | "a file":
            data = tmp_path / "absent" if case == "absent" else table
        case "no label":
            table.write_text(table.read_text().replace("label", "class", 1))
        case "no table":
            table.unlink()
        case "image missing" | "no image":
            path = next((tiny / "train").iterdir())
            path.unlink() if case == "image missing" else path.write_text("no image")
        case "test missing":
            (tiny / "test/33.png").unlink()
        case "few":
            table.write_text("\n".join(table.read_text().splitlines()[:3]) + "\n")
        case "bad out":
            extra += ["--out", table]
        case "no cifar":
            (tiny / "cifar-10-batches-py").mkdir()
        case "weights absent":
            extra += ["--weights", tmp_path / "absent.safetensors"]
        case "weights damaged" | "pt damaged":
            extra += ["--weights", damaged]
        case "other weights":
            extra += ["--weights", FIXTURE / "backbone.safetensors"]
        case "network":
            extra += ["--network", "resnet1999"]
        case "unpublished":
            extra += ["--weights", "DEFAULT"]
        case "nothing to resume":
            extra += ["--checkpoints", tmp_path / "absent", "--resume"]
    assert start(solved, monkeypatch, "--data", data, *extra) == 2
    message = capsys.readouterr().err
    assert message.startswith("main.py: expected ")
    assert message.count("\n") == 1


@pytest.mark.parametrize("wrong", [["--epochs", "0"], ["--resume"], ["--download"], ["--workers", "-1"]])
def test_impossible_options_exit_2_before_anything_is_read(solved, monkeypatch, capsys, wrong):
    with pytest.raises(SystemExit, match="2"):
        start(solved, monkeypatch, *wrong)
    assert "expected" in capsys.readouterr().err


@pytest.mark.parametrize("function", ["stratified_split", "load_backbone", "train", "evaluate", "plot_history"])
def test_what_is_not_written_yet_ends_in_one_line_that_names_it(solved, monkeypatch, capsys, tiny, tmp_path, function):
    def blank(*_: object, **__: object) -> None:
        raise NotImplementedError(f"Task 0: write {function}().")

    monkeypatch.setattr(solved.main, function, blank)
    assert start(solved, monkeypatch, "--data", tiny, "--out", tmp_path / "out", "--epochs", 1, *QUICK) == 1
    printed = capsys.readouterr()
    assert f"Next is Task 0: write {function}()." in printed.out.splitlines()[-1]
    assert printed.err == ""


def test_a_bonus_not_written_yet_is_skipped(solved, monkeypatch, capsys, tiny, tmp_path):
    def blank(*_: object, **__: object) -> None:
        raise NotImplementedError("Bonus: write robustness().")

    monkeypatch.setattr(solved.main, "robustness", blank)
    out = tmp_path / "out"
    assert start(solved, monkeypatch, "--data", tiny, "--out", out, "--epochs", 1, *QUICK) == 0
    assert {path.name for path in out.iterdir()} == WRITTEN - {"4_robustness.png", "robustness.csv"}
    assert "Bonus: write robustness()." in capsys.readouterr().out


def run_main(out: Path, *arguments: object, launcher: tuple[str, ...] = ()) -> dict:
    """Run main.py as students do; returns its metrics."""
    command = [sys.executable, *launcher, "main.py", "--out", str(out), *map(str, arguments)]
    ended = subprocess.run(command, cwd=SOLUTION, capture_output=True, text=True, timeout=3000)
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("Test: accuracy") == 1
    return json.loads((out / "metrics.json").read_text())


@pytest.mark.slow
def test_the_projects_own_images_are_learnt_from_its_own_backbone(tmp_path):
    metrics = run_main(tmp_path)
    assert metrics["images"] == {"train": 160, "val": 30, "test": 50}
    assert metrics["test"]["accuracy"] > 0.7
    assert metrics["history"]["val_accuracy"][2] > 0.3, "the head alone, on frozen features"
    assert {path.name for path in tmp_path.iterdir()} == WRITTEN


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="two ranks on a CPU are tried where processes can fork")
def test_two_processes_write_once(tiny, tmp_path):
    launcher = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
    metrics = run_main(tmp_path / "out", "--data", tiny, "--epochs", 1, *QUICK, launcher=launcher)
    assert metrics["images"] == {"train": 24, "val": 6, "test": 6}
    assert {path.name for path in (tmp_path / "out").iterdir()} == WRITTEN


@pytest.mark.slow
@pytest.mark.skipif(not REAL.exists(), reason=f"CIFAR-10's images are not at {REAL}")
def test_real_images_are_recognised(tmp_path, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS")  # all cores: this is what takes minutes
    shutil.unpack_archive(REAL, tmp_path / "real")
    metrics = run_main(tmp_path / "out", "--data", tmp_path / "real")
    assert metrics["images"] == {"train": 3400, "val": 600, "test": 1000}
    assert metrics["test"]["accuracy"] >= 0.6
