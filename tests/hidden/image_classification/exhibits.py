"""What a student's own page shows of this project: how a pre-trained network learns through their loop, and what it confuses.

All of it is computed from released images and the released backbone.
"""

import csv
from dataclasses import dataclass

import numpy as np
from PIL import Image
from safetensors.torch import load_file

from grader.suite import Run, accelerator, confusion, exhibit, lines, loader, recipe

TRAIN, VALIDATION, HELD_OUT = 60, 20, 60  # of the released images: enough to see something, and quick
BATCH, SEED = 20, 7
LOOP = {"epochs": 4, "lr": 0.05, "optimizer": "adamw"}


@dataclass(frozen=True)
class Pictures:
    """The first released images, standardised (n, 3, 32, 32), their classes (n,), and the backbone without its head."""

    images: np.ndarray
    labels: np.ndarray
    classes: list[str]
    state: dict[str, np.ndarray]

    def loader(self, start: int, count: int):
        part = slice(start, start + count)
        return loader(self.images[part], self.labels[part], batch_size=BATCH)


def released(run: Run) -> Pictures:
    with (run.fixtures / "trainLabels.csv").open(newline="") as file:
        names = {row["id"]: row["label"] for row in csv.DictReader(file)}
    ids = list(names)[: TRAIN + VALIDATION + HELD_OUT]
    pixels = (
        np.stack([np.asarray(Image.open(run.fixtures / "train" / f"{one}.png").convert("RGB")) for one in ids]) / 255
    )
    own = pixels[:TRAIN].reshape(-1, 3)
    images = ((pixels - own.mean(axis=0)) / own.std(axis=0)).transpose(0, 3, 1, 2).astype("float32")
    classes = sorted(set(names.values()))
    state = load_file(run.fixtures / "backbone.safetensors")
    own_state = {name: value.numpy() for name, value in state.items() if not name.startswith("fc.")}
    return Pictures(images, np.array([classes.index(names[one]) for one in ids]), classes, own_state)


def trained(student, run: Run) -> tuple:
    """(model, history): a new head on the frozen backbone, after the student's loop."""
    pictures = run.reference(released)
    model = student.make(recipe("Transferred", pictures.state, 3, len(pictures.classes), SEED))
    batches, val = pictures.loader(0, TRAIN), pictures.loader(TRAIN, VALIDATION)
    return model, student.train.train(model, batches, val, accelerator(), recipe("config", **LOOP))


@exhibit(task="train", title="The losses of your loop with a new head on the released backbone, epoch by epoch")
def loss(student, run: Run):
    _, history = student.once("exhibit: trained", lambda: trained(student, run))
    losses = {"training": history.train_loss, "validation": history.val_loss}
    return lines(losses, x="epoch", y="cross-entropy")


@exhibit(task="evaluate", title="What that network takes 60 other released images for, counted by your evaluate")
def confused(student, run: Run):
    model, _ = student.once("exhibit: trained", lambda: trained(student, run))
    pictures = run.reference(released)
    measures = student.evaluate.evaluate(model, pictures.loader(TRAIN + VALIDATION, HELD_OUT), accelerator())
    return confusion(measures.confusion, pictures.classes)
