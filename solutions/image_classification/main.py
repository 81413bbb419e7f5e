"""The whole project: batches, a pre-trained network, its new head, fine-tuning, measures and pictures.

    python main.py --data cifar-10                                       Kaggle's folder: train/, trainLabels.csv, test/
    python main.py --data somewhere --download                           torchvision's CIFAR-10, fetched if need be
    python main.py --data cifar-10 --network resnet18 --weights DEFAULT --mixed-precision bf16       with a GPU
    accelerate launch main.py --data cifar-10                            on all GPUs
    ACCELERATE_USE_CPU=1 torchrun --nproc-per-node 2 main.py             two processes without a GPU

Without --data it runs on the small set of drawn images that comes with the project. Nothing here is to be written; what is
not written yet in the task files ends the run with the name of the task to do next.
"""

import argparse
import csv
import json
import math
import os
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from functools import partial
from itertools import zip_longest
from pathlib import Path
from pickle import UnpicklingError

import matplotlib.pyplot as plt
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from bonus import STRENGTHS, plot_robustness, robustness
from data import ImageFolderCSV, as_unit_tensor, build_transforms, channel_stats, make_loaders, stratified_split
from evaluate import evaluate, per_class_accuracy, predict
from model import build_classifier, load_backbone, param_groups, unfreeze
from PIL import Image
from safetensors import SafetensorError
from torch import nn
from torch.utils.data import DataLoader, Dataset, Subset
from torchvision.datasets import CIFAR10
from torchvision.transforms import v2
from train import History, TrainConfig, save_model, train
from visualize import plot_confusion_matrix, plot_history, plot_predictions

from grader.page import Results, Unusable, conduct

SHOWN, DISTURBED = 24, 500  # test images in the figure of predictions; in the table of robustness
SHARED = {"weight_decay": 5e-4, "max_grad_norm": 1.0}
HEAD_LR, LR, BACKBONE_LR_FACTOR = 0.05, 0.05, 0.5
TEST_PART, VAL_PART = 0.2, 0.15  # of all labelled images, and of those that are left


@dataclass(frozen=True)
class Images:
    """What is trained, chosen and tested with; `undisturbed` are the test images between 0 and 1."""

    train_set: Dataset
    val_set: Dataset
    test_set: Dataset
    undisturbed: Dataset
    plain: Callable
    classes: list[str]
    mean: list[float]
    std: list[float]


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    option = parser.add_argument
    option("--data", type=Path, help="folder, as above (default: the project's own small set)")
    option("--download", action="store_true", help="fetch torchvision's CIFAR-10 into --data first, about 170 MB")
    option("--network", default="cifar_resnet20", help="or torchvision's, such as resnet18 (default: %(default)s)")
    option("--weights", help="a file, DEFAULT for published ones, none for random ones (default: the project's own)")
    option("--mixed-precision", choices=["no", "fp16", "bf16"], default="no", help="default: %(default)s")
    option("--head-epochs", type=int, default=3, help="with a frozen backbone (default: %(default)s)")
    option("--epochs", type=int, default=15, help="of fine-tuning everything (default: %(default)s)")
    option("--batch-size", type=int, default=32, help="of one process (default: %(default)s)")
    option("--accumulate", type=int, default=1, help="batches to an optimizer step (default: %(default)s)")
    option("--workers", type=int, default=0, help="processes that read images ahead (default: %(default)s)")
    option("--checkpoints", type=Path, help="folder for a checkpoint of each epoch (default: none are written)")
    option("--resume", action="store_true", help="go on behind the last checkpoint in --checkpoints")
    option("--out", type=Path, default=Path("results"), help="folder for what is written (default: %(default)s)")
    option("--seed", type=int, default=0, help="of the split, the order and the augmentation (default: %(default)s)")
    args = parser.parse_args()
    for flag, needed in (("download", "data"), ("resume", "checkpoints")):
        if getattr(args, flag) and getattr(args, needed) is None:
            parser.error(f"--{flag}: expected --{needed} to name a folder for it.")
    if min(args.head_epochs, args.epochs, args.batch_size, args.accumulate) < 1 or args.workers < 0:
        parser.error("expected whole numbers from 1 on, of workers from 0 on, found a smaller one.")
    return args


def own_folder() -> Path:
    """What comes with the project: the folder `data` beside this file, or the repository's fixture."""
    here = Path(__file__).resolve().parent
    places = [here / "data", *(folder / "fixtures/image_classification" for folder in here.parents)]
    for place in places:
        if (place / "trainLabels.csv").exists():
            return place
    raise Unusable(f"expected the project's own images in {places[0]}, found none; name others with --data.")


def listed(folder: Path, table: Path) -> list[tuple[str, str]]:
    """The rows (id, label) of a table, after a look at each image that it lists."""
    try:
        with open(table, newline="", encoding="utf-8") as file:
            rows = [(row["id"], row["label"]) for row in csv.DictReader(file)]
    except (KeyError, ValueError, OSError, csv.Error):
        raise Unusable(f"expected a table with the columns id and label at {table}, found none.") from None
    for path in (folder / f"{name}.png" for name, _ in rows):
        try:
            Image.open(path).close()
        except OSError:
            found = "another file" if path.exists() else "none"
            raise Unusable(f"expected an image at {path}, which {table.name} lists, found {found}.") from None
    return rows


def read_images(args: argparse.Namespace, accelerator: Accelerator, folder: Path, size: int) -> Images:
    """The images of a folder, in parts; where those in test/ have no labels, as Kaggle's, some of the others test."""
    if args.download or (folder / "cifar-10-batches-py").is_dir():
        try:
            with accelerator.local_main_process_first():
                whole, test_idx = CIFAR10(folder, download=args.download), range(len(CIFAR10(folder, train=False)))
        except (OSError, RuntimeError) as error:
            raise Unusable(f"expected CIFAR-10 in {folder}: {' '.join(str(error).split())}") from None
        labelled, tested = partial(CIFAR10, folder), partial(CIFAR10, folder, train=False)
        labels, known = whole.targets, range(len(whole))
    else:
        listed(folder / "train", folder / "trainLabels.csv")
        labelled = tested = partial(ImageFolderCSV, folder / "train", folder / "trainLabels.csv")
        whole = labelled()
        labels = whole.labels
        known, test_idx = stratified_split(labels, TEST_PART, args.seed)
    part, rest = stratified_split([labels[i] for i in known], VAL_PART, args.seed)
    train_idx, val_idx = [known[i] for i in part], [known[i] for i in rest]
    if not (train_idx and val_idx and test_idx):
        raise Unusable(f"expected enough labelled images in {folder} to set some aside, found {len(labels)}.")
    mean, std = channel_stats(Subset(whole, train_idx))
    light, plain = (build_transforms(size, mean, std, train=train) for train in (True, False))
    unit = v2.Compose([v2.Resize((size, size)), as_unit_tensor])
    sets = Subset(labelled(transform=light), train_idx), Subset(labelled(transform=plain), val_idx)
    sets += Subset(tested(transform=plain), test_idx), Subset(tested(transform=unit), test_idx)
    return Images(*sets, plain, whole.classes, mean, std)


def make_model(args: argparse.Namespace, num_classes: int) -> nn.Module:
    """A classifier with a frozen backbone."""
    weights = args.weights or (own_folder() / "backbone.safetensors" if args.network == "cifar_resnet20" else "DEFAULT")
    try:
        backbone = load_backbone(args.network, None if weights == "none" else weights)
    except (OSError, ValueError, SafetensorError, UnpicklingError) as error:
        raise Unusable(f"expected weights for --network {args.network}: {' '.join(str(error).split())}") from None
    return build_classifier(backbone, num_classes, freeze=True)


def epoch_of(checkpoint: Path) -> int:
    """The number in a checkpoint's name; 0 for another name."""
    number = checkpoint.name.removeprefix("epoch_")
    return int(number) if number.isdecimal() else 0


def newest_checkpoint(folder: Path) -> Path | None:
    """The checkpoint of the latest epoch in a folder; None if there is none."""
    return max(filter(epoch_of, folder.glob("epoch_*")), key=epoch_of, default=None)


def fit(model: nn.Module, images: Images, args: argparse.Namespace, results: Results) -> History:
    """Train the head on the frozen backbone, then everything, the backbone more carefully; one history of both."""
    folders = [args.checkpoints / name if args.checkpoints else None for name in ("head", "everything")]
    found = [newest_checkpoint(folder) if args.resume else None for folder in folders]
    if args.resume and not any(found):
        raise Unusable(f"expected checkpoints to go on from in {args.checkpoints}, found none.")
    loaders = make_loaders(images.train_set, images.val_set, args.batch_size, seed=args.seed, num_workers=args.workers)
    history, plan = History(), ((args.head_epochs, HEAD_LR), (args.epochs, LR))
    for thawed, (epochs, lr), folder, resumed in zip((False, True), plan, folders, found, strict=True):
        results.say(f"\nTraining {'everything' if thawed else 'the head on the frozen backbone'}:")
        if thawed:
            unfreeze(model, "conv1")
        config = TrainConfig(epochs, lr, **SHARED, seed=args.seed, checkpoint_dir=folder, resume_from=resumed)
        groups = param_groups(model, lr, BACKBONE_LR_FACTOR)
        a_process = math.ceil(len(loaders[0]) / results.accelerator.num_processes)  # batches in an epoch
        steps = math.ceil(a_process / args.accumulate)
        done = steps * epoch_of(resumed) if resumed else 0
        with results.progress_of_steps(f"{epochs} epochs", epochs * steps, done):
            met = train(model, *loaders, results.accelerator, config, groups)
        for part in fields(History):
            getattr(history, part.name).extend(getattr(met, part.name))
        results.accelerator.free_memory()
    return history


def show_epochs(history: History, head_epochs: int, results: Results) -> None:
    """The table of all epochs."""
    forms = {"epoch": "{}", "learnt": "{}", "loss, training": "{:.4f}", "accuracy, training": "{:.3f}"}
    forms |= {"loss, validation": "{:.4f}", "accuracy, validation": "{:.3f}", "rate": "{:.4g}", "seconds": "{:.1f}"}
    epochs = enumerate(zip_longest(*asdict(history).values()), start=1)
    rows = [(epoch, "head" if epoch <= head_epochs else "everything", *measures) for epoch, measures in epochs]
    results.table("Epochs", forms, rows)


def in_order(images: Dataset, args: argparse.Namespace) -> DataLoader:
    """A loader of all images, in their order."""
    return DataLoader(images, batch_size=2 * args.batch_size, num_workers=args.workers)


def show_predictions(model: nn.Module, images: Images, args: argparse.Namespace, results: Results) -> None:
    """The figure of a few test images, shared out over the whole test set."""
    n = len(images.test_set)
    some = Subset(images.test_set, sorted({place * n // SHOWN for place in range(SHOWN)}))
    y_true, logits = predict(model, in_order(some, args), results.accelerator)  # (n,), (n, classes)
    shown = torch.stack([image for image, _ in some])  # (n, 3, h, w)
    y_pred = logits.argmax(axis=1)  # (n, classes) -> (n,)
    figure = plot_predictions(shown, y_true, y_pred, images.classes, images.mean, images.std)
    caption = f"{len(some)} of the test images, with their class and what they were taken for."
    results.figure("3_predictions", figure, caption)


def disturb(model: nn.Module, images: Images, results: Results, seed: int) -> None:
    """The bonus: accuracy on disturbed test images, of which it takes the first."""
    some = Subset(images.undisturbed, range(min(DISTURBED, len(images.undisturbed))))
    normalize = v2.Normalize(images.mean, images.std)
    try:
        table = robustness(model, some, list(STRENGTHS), results.accelerator, normalize, seed)
        results.text("robustness.csv", table.to_csv())
        caption = f"The accuracy on {len(some)} test images, disturbed on purpose, more and more."
        results.figure("4_robustness", plot_robustness(table), caption)
        columns = {"disturbed by": "{}"} | {f"severity {column}": "{:.3f}" for column in table}
        results.table("Accuracy", columns, table.itertuples())
    except NotImplementedError as error:
        results.note(f"Skipped, because not written yet. {error}")


def run(args: argparse.Namespace, results: Results) -> None:
    """All tasks in their order."""
    accelerator, folder = results.accelerator, args.data or own_folder()
    sample = folder / "sampleSubmission.csv"
    unlabelled = listed(folder / "test", sample) if sample.exists() and (folder / "test").is_dir() else []
    images = read_images(args, accelerator, folder, 32 if args.network.startswith("cifar_") else 224)
    counts = {part: len(getattr(images, f"{part}_set")) for part in ("train", "val", "test")}
    results.lead(f"Data: {folder}{'' if args.data else ' (drawn images; name Kaggle’s folder with --data)'}")
    results.say(f"Images: {counts}")
    results.say(f"Accelerate: {accelerator.device.type}, number of processes: {accelerator.num_processes}")
    with results.part("Training"):
        model = make_model(args, len(images.classes))
        history = fit(model, images, args, results)
        save_model(model, accelerator, results.folder / "model.safetensors")

    # The test images have had no part in training or in choosing an epoch, and all of them are answered once.
    with results.part("Test"):
        found = evaluate(model, in_order(images.test_set, args), accelerator)
        each = dict(zip(images.classes, map(float, per_class_accuracy(found.confusion)), strict=True))
        results.note(f"Test: accuracy {found.accuracy:.3f}, loss {found.loss:.3f}")
        results.say("  ".join(f"{name} {value:.2f}" for name, value in each.items()))
        test = {"accuracy": found.accuracy, "loss": found.loss, "classes": each}
        metrics = {"network": args.network, "images": counts, "test": test, "history": asdict(history)}
        results.text("metrics.json", json.dumps(metrics, indent=2, ensure_ascii=False) + "\n")
        results.facts("Accuracy by class", each, "{:.3f}")
    if unlabelled:
        loader = in_order(ImageFolderCSV(folder / "test", sample, images.plain), args)
        y_pred = predict(model, loader, accelerator)[1].argmax(axis=1)  # (n, classes) -> (n,)
        rows = [f"{name},{images.classes[label]}\n" for (name, _), label in zip(unlabelled, y_pred, strict=True)]
        results.text("submission.csv", "".join(["id,label\n", *rows]))

    with results.part("Training"):
        caption = "Loss and accuracy, epoch by epoch; from the thaw on, all of the network learns."
        results.figure("1_history", plot_history(history), caption)
        show_epochs(history, args.head_epochs, results)
    with results.part("Test"):
        caption = "Of the images of each class, in rows, the part that was taken for which, in columns."
        results.figure("2_confusion", plot_confusion_matrix(found.confusion, images.classes, normalize=True), caption)
        show_predictions(model, images, args, results)
    with results.part("Disturbed images"):
        disturb(model, images, results, args.seed)
    results.headline("accuracy on test images", found.accuracy, "{:.1%}")
    results.headline("loss on test images", found.loss, "{:.3f}")
    for part, purpose in (("train", "to learn from"), ("val", "to choose an epoch by"), ("test", "to test with")):
        results.headline(f"images {purpose}", counts[part], "{:,}")
    results.finish(vars(args))


def main() -> int:
    """Run; returns the exit code: 0, 1 when a task is not written yet, 2 when a file cannot be used."""
    args = parse_arguments()
    plt.switch_backend("agg")
    accelerator = Accelerator(mixed_precision=args.mixed_precision, gradient_accumulation_steps=args.accumulate)
    if "OMP_NUM_THREADS" not in os.environ:
        torch.set_num_threads(max(1, (os.cpu_count() or 1) // accelerator.num_processes))
    set_seed(args.seed)
    return conduct(run, args, accelerator, "Image classification")


if __name__ == "__main__":
    sys.exit(main())
