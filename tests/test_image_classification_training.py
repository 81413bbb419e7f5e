"""Task 3 of project 2's reference solution, against plain PyTorch: one device, float32, nothing prepared."""

import copy
import math
from dataclasses import asdict, replace

import image_classification_solved as shared
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from torch import nn

solved, accelerator = shared.solved, shared.accelerator

IMAGES, LABELS, network, loader = shared.IMAGES, shared.LABELS, shared.network, shared.loader


def by_hand(model: nn.Module, n: int, batch_size: int, config: object, accumulate: int = 1) -> tuple[list, list]:
    """Train with torch.optim.SGD alone; each epoch's mean loss as met, and the rate of its last step."""
    optimizer = torch.optim.SGD(model.parameters(), 1.0, momentum=config.momentum, weight_decay=config.weight_decay)
    batches = [range(start, min(start + batch_size, n)) for start in range(0, n, batch_size)]
    windows = [batches[start : start + accumulate] for start in range(0, len(batches), accumulate)]
    total, step, losses, rates = config.epochs * len(windows), 0, [], []
    warmup = round(config.warmup_fraction * total)
    for _ in range(config.epochs):
        met = []
        for window in windows:
            optimizer.zero_grad()
            for batch in window:
                rows = list(batch)
                loss = F.cross_entropy(
                    model(IMAGES[rows]), LABELS[rows], label_smoothing=config.label_smoothing, reduction="none"
                )
                (loss.mean() / accumulate).backward()
                met += loss.tolist()
            if config.max_grad_norm is not None:
                nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
            cosine = 0.5 + 0.5 * math.cos(math.pi * (step - warmup) / max(1, total - warmup))
            rate = config.lr * (step / warmup if step < warmup else cosine)
            optimizer.param_groups[0]["lr"] = rate
            optimizer.step()
            step += 1
        losses.append(np.mean(met))
        rates.append(rate)
    return losses, rates


def assert_same_weights(model: nn.Module, expected: nn.Module, **tolerances: float) -> None:
    torch.testing.assert_close(model.state_dict(), expected.state_dict(), **tolerances or {"atol": 1e-6, "rtol": 1e-5})


def last_epoch_wins(solved, monkeypatch) -> None:
    """Let validation grow from epoch to epoch, so that no earlier epoch's weights come back."""
    grown = iter(range(1, 1000))
    monkeypatch.setattr(solved.train, "validate", lambda *_: (0.0, float(next(grown))))


CASES = {  # changes to the config, images, batch size, accumulated batches
    "plain": ({}, 20, 4, 1),
    "uneven": ({"weight_decay": 0.1}, 18, 4, 1),
    "warm-up": ({"warmup_fraction": 0.4}, 20, 4, 1),
    "clipped": ({"max_grad_norm": 0.05}, 20, 4, 1),
    "smoothed": ({"label_smoothing": 0.2}, 18, 4, 1),
    "accumulated": ({"warmup_fraction": 0.3}, 16, 4, 2),
    "accumulated and clipped": ({"max_grad_norm": 0.05, "warmup_fraction": 0.3}, 16, 4, 2),
    "cut short": ({"max_grad_norm": 0.05, "warmup_fraction": 0.25}, 20, 4, 2),
    "three and one": ({"label_smoothing": 0.1}, 16, 4, 3),
}


@pytest.mark.parametrize("case", CASES)
def test_every_step_is_plain_pytorchs(solved, accelerator, monkeypatch, case):
    changes, n, batch_size, accumulate = CASES[case]
    config = solved.train.TrainConfig(epochs=3, lr=0.3, **changes)
    last_epoch_wins(solved, monkeypatch)
    model, expected = network(), network()
    built = accelerator(gradient_accumulation_steps=accumulate)
    history = solved.train.train(model, loader(n, batch_size), loader(), built, config)
    losses, rates = by_hand(expected, n, batch_size, config, accumulate)
    assert_same_weights(model, expected)
    np.testing.assert_allclose(history.train_loss, losses, rtol=1e-5)
    np.testing.assert_allclose(history.lr, rates, rtol=1e-6, atol=1e-9)
    assert max(abs(p - q).max().item() for p, q in zip(model.parameters(), network().parameters(), strict=True)) > 0.01


def test_accumulated_batches_are_one_large_one(solved, accelerator, monkeypatch):
    last_epoch_wins(solved, monkeypatch)
    config = solved.train.TrainConfig(epochs=2, lr=0.3, max_grad_norm=0.1)
    small, large = network(), network()
    solved.train.train(small, loader(16, 2), loader(), accelerator(gradient_accumulation_steps=4), config)
    solved.train.train(large, loader(16, 8), loader(), accelerator(), config)
    assert_same_weights(small, large)


def test_adamw_takes_its_groups_at_their_own_rates_and_leaves_what_is_frozen(solved, accelerator, monkeypatch):
    """One step: AdamW's first goes by the rate against the gradient's sign, after a decay in proportion to the rate."""
    last_epoch_wins(solved, monkeypatch)
    config = solved.train.TrainConfig(epochs=1, lr=0.5, optimizer="adamw", weight_decay=0.1, warmup_fraction=0.0)
    model, start = network(), network()
    model[1].bias.requires_grad_(False)
    groups = [{"params": [model[5].weight, model[5].bias], "lr": 0.02}, {"params": [model[1].weight], "lr": 0.001}]
    history = solved.train.train(model, loader(batch_size=20), loader(), accelerator(), config, groups)
    F.cross_entropy(start(IMAGES), LABELS).backward()
    for layer, rate in ((5, 0.02), (1, 0.001)):
        weight = start[layer].weight
        expected = weight * (1 - rate * 0.1) - rate * weight.grad.sign()
        torch.testing.assert_close(model[layer].weight, expected, atol=1e-5, rtol=0)
    assert torch.equal(model[1].bias, start[1].bias)
    assert history.lr == [0.02]
    with pytest.raises(ValueError, match="adam'"):
        solved.train.train(network(), loader(), loader(), accelerator(), replace(config, optimizer="adam"))


def test_the_given_schedule_rises_in_a_line_and_falls_in_a_cosine(solved):
    factors = [solved.train.lr_factor(step, 4, 12) for step in range(13)]
    np.testing.assert_allclose(factors[:5], [0, 0.25, 0.5, 0.75, 1])
    np.testing.assert_allclose(factors[4:], [0.5 + 0.5 * np.cos(np.pi * done / 8) for done in range(9)], atol=1e-12)


class Watched(nn.Module):
    """A network that remembers in which mode, with which gradients and in which precision it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = network(norm=True)
        self.asked: list[tuple[bool, bool, torch.dtype]] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = self.inner[1](x.flatten(1))
        self.asked.append((self.training, torch.is_grad_enabled(), hidden.dtype))
        return self.inner[2:](hidden)


def test_each_epoch_trains_in_training_mode_and_validates_in_eval_mode(solved, accelerator):
    model = Watched().eval()
    config = solved.train.TrainConfig(epochs=2)
    solved.train.train(model, loader(8), loader(8), accelerator(), config)
    assert model.asked == ([(True, True, torch.float32)] * 2 + [(False, False, torch.float32)] * 2) * 2


def test_bf16_is_torchs_autocast_over_float32_parameters(solved, accelerator, monkeypatch):
    last_epoch_wins(solved, monkeypatch)
    config = solved.train.TrainConfig(epochs=1, lr=0.3, warmup_fraction=0.0)
    model, expected, exact = Watched(), network(norm=True), network(norm=True)
    start = copy.deepcopy(expected.state_dict())
    built = accelerator(mixed_precision="bf16")
    history = solved.train.train(model, loader(batch_size=20), loader(), built, config)
    for network_, enabled in ((expected, True), (exact, False)):
        with torch.autocast("cpu", torch.bfloat16, enabled=enabled):
            logits = network_(IMAGES).float()
        loss = F.cross_entropy(logits, LABELS)
        loss.backward()
        torch.optim.SGD(network_.parameters(), 0.3).step()
        if enabled:
            assert history.train_loss == [pytest.approx(loss.item(), rel=1e-6)]
    assert {kind for *_, kind in model.asked} == {torch.bfloat16}
    assert {p.dtype for p in model.parameters()} == {torch.float32}
    assert_same_weights(model.inner, expected)
    assert not torch.equal(model.inner[1].weight, exact[1].weight)
    assert not torch.equal(model.inner[1].weight, start["1.weight"])


def test_history_tells_training_as_met_and_validation_after_the_epoch(solved, accelerator):
    config = solved.train.TrainConfig(epochs=1, lr=0.5, label_smoothing=0.3, warmup_fraction=0.0)
    model, expected = network(), network()
    history = solved.train.train(model, loader(18), loader(11), accelerator(), config)
    optimizer, hits = torch.optim.SGD(expected.parameters(), 0.5, momentum=0.9), []
    for step, (x, y) in enumerate(loader(18)):
        optimizer.param_groups[0]["lr"] = 0.5 * (0.5 + 0.5 * math.cos(math.pi * step / 5))
        optimizer.zero_grad()
        hits += (expected(x).argmax(dim=1) == y).tolist()
        F.cross_entropy(expected(x), y, label_smoothing=0.3).backward()
        optimizer.step()
    logits = expected(IMAGES[:11])
    assert history.train_accuracy == [pytest.approx(np.mean(hits))]
    assert history.val_loss == [pytest.approx(F.cross_entropy(logits, LABELS[:11]).item(), rel=1e-5)]
    assert history.val_accuracy == [pytest.approx((logits.argmax(dim=1) == LABELS[:11]).float().mean().item())]
    assert history.seconds[0] > 0
    assert {type(value) for values in asdict(history).values() for value in values} == {float}


@pytest.mark.parametrize(
    ("course", "best"), [([0.2, 0.6, 0.6, 0.4], 2), ([0.0, 0.0, 0.0, 0.0], 1), ([0, 0.5, 0.1, 1], 4)]
)
def test_the_first_of_the_best_epochs_is_kept(solved, accelerator, monkeypatch, course, best):
    """Weights and statistics, as they were when that epoch had been validated."""
    seen, values = [], iter(course)

    def validate(model: nn.Module, *_: object) -> tuple[float, float]:
        seen.append(copy.deepcopy(model.state_dict()))
        return 1.0, float(next(values))

    monkeypatch.setattr(solved.train, "validate", validate)
    model, config = network(norm=True), solved.train.TrainConfig(epochs=4, lr=0.3)
    assert solved.train.train(model, loader(), loader(), accelerator(), config).val_accuracy == course
    torch.testing.assert_close(model.state_dict(), seen[best - 1], atol=0, rtol=0)
    assert not torch.equal(seen[0]["1.weight"], seen[3]["1.weight"])


@pytest.mark.parametrize("optimizer", ["sgd", "adamw"])
@pytest.mark.parametrize("stop", [1, 3])
def test_a_resumed_training_is_the_one_that_never_stopped(solved, accelerator, monkeypatch, tmp_path, optimizer, stop):
    """With shuffling, dropout, momentum, BatchNorm, and an epoch that no later one betters."""
    course = [0.3, 0.9, 0.5, 0.9]

    def run(**places: object) -> tuple[nn.Module, object]:
        values = iter(course[stop:] if "resume_from" in places else course)
        monkeypatch.setattr(solved.train, "validate", lambda *_: (1.0, next(values)))
        config = solved.train.TrainConfig(epochs=4, lr=0.1, optimizer=optimizer, seed=5, **places)
        model = network(dropout=0.5, norm=True)
        torch.manual_seed(len(places))  # whatever chance was before, the epochs have their own
        return model, solved.train.train(model, loader(seed=9), loader(), accelerator(), config)

    whole, history = run(checkpoint_dir=tmp_path / "kept")
    assert sorted(path.name for path in (tmp_path / "kept").iterdir()) == [f"epoch_{epoch}" for epoch in (1, 2, 3, 4)]
    resumed, again = run(resume_from=tmp_path / f"kept/epoch_{stop}")
    assert_same_weights(resumed, whole, atol=0, rtol=0)
    for name, values in asdict(history).items():
        assert len(values) == 4
        assert getattr(again, name)[: stop if name == "seconds" else 4] == values[: stop if name == "seconds" else 4]


def test_epochs_differ_in_order_and_dropout_and_follow_the_seed(solved, accelerator, monkeypatch):
    last_epoch_wins(solved, monkeypatch)
    orders, ends = [], []
    for seed in (5, 5, 6):
        model, met = network(dropout=0.5), []
        model.register_forward_pre_hook(lambda _, args, met=met: met.extend(args[0][:, 0, 0, 0].tolist()))
        config = solved.train.TrainConfig(epochs=2, lr=0.1, seed=seed)
        solved.train.train(model, loader(seed=9), loader(), accelerator(), config)
        orders.append(met)
        ends.append(model[1].weight.detach().clone())
    assert orders[0] == orders[1] != orders[2]
    assert orders[0][:20] != orders[0][20:]
    assert sorted(orders[0][:20]) == sorted(orders[0][20:]) == sorted(IMAGES[:, 0, 0, 0].tolist())
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


@pytest.mark.parametrize("prepared", [True, False])
def test_saved_weights_have_the_models_own_names(solved, accelerator, tmp_path, prepared):
    built, model = accelerator(mixed_precision="bf16"), network(norm=True)
    path = tmp_path / "new/folder/model.safetensors"
    solved.train.save_model(built.prepare(model) if prepared else model, built, path)
    expected = network(norm=True).state_dict()
    saved = load_file(path)
    assert saved.keys() == expected.keys()
    torch.testing.assert_close(saved, dict(expected), atol=0, rtol=0)
