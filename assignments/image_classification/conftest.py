"""`bench`: the small model and the trainings that the self-checks of tasks 3 and 4 share."""

from dataclasses import dataclass

import numpy as np
import pytest

from grader.suite import Recipe, Student, accelerator, as_array, linear, loader


@dataclass(frozen=True)
class Bench:
    """Images are black but for their first value x. The model knows two classes: its logits are weight · x + bias and 0, so
    that at weight 0 and bias 0 it gives both a half; class 0 pulls with -x/2, class 1 with x/2.
    """

    student: Student

    def probe(self, weight: float, bias: float) -> Recipe:
        """Images (batch, 3, 2, 2) -> flat (batch, 12) -> one number each -> logits (batch, 2)."""
        flatten = Recipe("torch.nn:Flatten")
        column = Recipe("torch.nn:Unflatten", (0, (-1, 1)))
        beside_zero = Recipe("torch.nn:ConstantPad1d", ((0, 1), 0.0))
        return Recipe("torch.nn:Sequential", (flatten, linear([weight] + [0.0] * 11, bias), column, beside_zero))

    def batches(self, batch_size: int, *pairs: tuple[float, int], shuffle: bool = False) -> Recipe:
        """A loader of images (n, 3, 2, 2), each given by its value x and its class."""
        values, labels = zip(*pairs, strict=True)
        pixels = np.zeros((len(pairs), 12))
        pixels[:, 0] = values
        return loader(pixels.reshape(-1, 3, 2, 2), np.array(labels), batch_size=batch_size, shuffle=shuffle)

    def config(self, **settings: object) -> object:
        plain = {"epochs": 1, "lr": 0.1, "momentum": 0.0, "warmup_fraction": 0.0}
        return self.student.train.TrainConfig(**plain | settings)

    def weight_and_bias(self, state: dict) -> list[float]:
        return [float(as_array(state[name], name).reshape(-1)[0]) for name in ("1.0.weight", "1.0.bias")]

    def trained(self, train_loader: Recipe, k: int = 1, **settings: object) -> list[float]:
        """Weight and bias after training from 0, with accumulation over k batches."""
        model, own = self.student.make(self.probe(0.0, 0.0)), accelerator(gradient_accumulation_steps=k)
        val_loader = self.batches(1, (1.0, 0))
        self.student.train.train(model, train_loader, val_loader, own, self.config(**settings))
        return self.weight_and_bias(model.state_dict())

    def watched(
        self, model: object, train_loader: Recipe, val_loader: Recipe, *own: dict, **settings: object
    ) -> object:
        """The history of a training at a rate of 0, where the model stays as it is; `own` is the accelerator's."""
        settings = {"lr": 0.0, "epochs": 2} | settings
        using = accelerator(**(own[0] if own else {}))
        return self.student.train.train(model, train_loader, val_loader, using, self.config(**settings))


@pytest.fixture
def bench(student) -> Bench:
    return Bench(student)
