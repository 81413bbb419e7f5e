"""Task 1, files and data sets: pictures of random pixels, so that each can be told from every other."""

import csv
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from grader.suite import (
    CheckFailed,
    Recipe,
    Run,
    as_array,
    as_float,
    assert_close,
    check,
    file,
    folder,
    recipe,
    reference,
    require,
)

SIDE, FRACTION = 32, 0.25
WHOLE = (int, np.integer)  # Python's or NumPy's: both are ints to whoever counts with them
LOOKS = 30  # at each image: were flips all that is drawn, none of nine images would be flipped alike 30 times


def png(pixels: np.ndarray | Image.Image) -> bytes:
    """uint8 (height, width, 3), or a picture of any mode, as a PNG file."""
    content = io.BytesIO()
    (Image.fromarray(pixels) if isinstance(pixels, np.ndarray) else pixels).save(content, "PNG")
    return content.getvalue()


def table(rows: list[tuple[str, str]]) -> Recipe:
    """A CSV file of (id, label)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([("id", "label"), *rows])
    return file("labels.csv", text.getvalue())


def noise(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random uint8 pixels."""
    return rng.integers(0, 256, shape, dtype="uint8")


@dataclass(frozen=True)
class Album:
    """A folder of pictures, some of them unlisted, and the table of the others."""

    ids: list[str]
    words: list[str]
    pixels: list[np.ndarray]

    @property
    def root(self) -> Recipe:
        files = {f"{name}.png": png(pixels) for name, pixels in zip(self.ids, self.pixels, strict=True)}
        unlisted = {f"{name}.png": png(np.zeros((5, 4, 3), "uint8")) for name in (0, 150, 1000)}
        return recipe("as_path", folder(files | unlisted))

    @property
    def labels_csv(self) -> Recipe:
        return table(list(zip(self.ids, self.words, strict=True)))


@reference
def album(run: Run) -> Album:
    """Ten pictures of five classes; the order is neither that of the numbers nor that of the names of the files."""
    rng = run.rng("album")
    numbers = [1, 2, 3, 10, 11, 20, 21, 30, 100, 200]
    known = (numbers, sorted(numbers, key=str))
    order = rng.permutation(numbers).tolist()
    while order in known or order[::-1] in known:
        order = rng.permutation(numbers).tolist()
    words = rng.permutation(["airplane", "bird", "cat", "frog", "truck"] * 2).tolist()
    while list(dict.fromkeys(words)) == sorted(set(words)):
        words = rng.permutation(words).tolist()
    return Album(list(map(str, order)), words, [noise(rng, 5, 4, 3) for _ in order])


@check(
    task="data",
    title="The i-th image is that of the table's i-th row",
    hint="Go by the table and the ids in it: names sorted as text put 10 before 2, the folder may hold images that "
    "are not listed, and ids need not count from 1.",
)
def test_dataset_order(student, album):
    dataset = student.data.ImageFolderCSV(album.root, album.labels_csv)
    require(len(dataset) == len(album.ids), "len() is the number of rows", expected=len(album.ids), got=len(dataset))
    look = student.tools.look
    for place, pixels in enumerate(album.pixels):
        assert_close(look(dataset, place)[1], pixels, "the image", case=f"row {place}, {album.ids[place]}.png")


@check(
    task="data",
    title="A label is its name's place among the sorted classes",
    hint="classes = sorted names, counted from 0; labels is a list of ints and the second of each pair an int, neither "
    "array nor tensor, in the table's order.",
)
def test_dataset_labels(student, album):
    dataset = student.data.ImageFolderCSV(album.root, album.labels_csv)
    classes, sorted_names = dataset.classes, sorted(set(album.words))
    names = list(map(str, classes)) if isinstance(classes, list | tuple | np.ndarray) else classes
    require(names == sorted_names, "classes are the sorted names", expected=sorted_names, got=names)
    expected = [sorted_names.index(word) for word in album.words]
    labels = dataset.labels
    ints = isinstance(labels, list) and all(isinstance(label, WHOLE) for label in labels)
    require(ints, "labels is a list of ints", got=labels if isinstance(labels, list) else type(labels).__name__)
    assert_close(labels, expected, "labels")
    for place, wanted in enumerate(expected):
        label, case = dataset[place][1], f"row {place}"
        require(isinstance(label, WHOLE), "a label is an int", got=f"a {type(label).__name__}", case=case)
        assert_close(label, wanted, "the label", case=case)


@check(
    task="data",
    title="An image is opened when it is asked for",
    hint="Keep names in __init__, and call Image.open in __getitem__: the whole of Kaggle's folder may not fit.",
)
def test_dataset_lazy(student, album, rng):
    root = student.make(album.root)
    dataset = student.data.ImageFolderCSV(root, album.labels_csv)
    place, replaced = int(rng.integers(len(album.ids))), noise(rng, 5, 4, 3)
    student.tools.write_file(recipe("inside", root, f"{album.ids[place]}.png"), png(replaced))
    case = "a file that changed after the data set was made"
    assert_close(student.tools.look(dataset, place)[1], replaced, "the image", case=case)


@check(
    task="data",
    title="A listed image that is missing is a FileNotFoundError with its path",
    hint="Let Image.open raise, or raise with the path in the message: when the image is asked for, not when the "
    "data set is made. The folder may be given as text.",
)
def test_dataset_missing(student, rng):
    name, number, pixels = f"photos{rng.integers(10**6)}", str(rng.integers(10, 1000)), noise(rng, 5, 4, 3)
    root = recipe("inside", folder({f"{name}/1.png": png(pixels)}), name)
    dataset = student.data.ImageFolderCSV(root, table([("1", "cat"), (number, "frog")]))
    assert_close(student.tools.look(dataset, 0)[1], pixels, "the image", case="one that is there")
    with student.raises(FileNotFoundError) as caught:
        dataset[1]
    path = f"{name}/{number}.png"
    require(path in caught[0].text, "the message holds the path", expected=f"…/{path}", got=caught[0].text)


@check(
    task="data",
    title="Every image is RGB, however its file stores it",
    hint='.convert("RGB"): a file may be grey, have transparency, or number its colours in a palette. Channels stay '
    "red, green, blue; without a transform the image is a PIL.Image.",
)
def test_dataset_rgb(student, rng):
    colours = Image.fromarray(noise(rng, 5, 4, 3))
    stored = {
        "grey": colours.convert("L"),
        "RGBA": colours.convert("RGBA"),
        "a palette": colours.quantize(7),
        "RGB": colours,
    }
    files = {f"{place}.png": png(image) for place, image in enumerate(stored.values())}
    rows = [(str(place), "cat") for place in range(len(stored))]
    dataset = student.data.ImageFolderCSV(recipe("as_path", folder(files)), table(rows))
    for place, (kind, image) in enumerate(stored.items()):
        mode, pixels = student.tools.look(dataset, place)
        require(mode == "RGB", "without a transform an image is an RGB PIL.Image", got=mode or "none", case=kind)
        assert_close(pixels, np.asarray(image.convert("RGB")), "the image", case=kind)


@check(
    task="data",
    title="The transform is asked anew each time",
    hint="Return self.transform(image) from __getitem__; what is kept from the first time would be one draw for ever.",
)
def test_dataset_transform(student, album, rng):
    dataset = student.data.ImageFolderCSV(album.root, album.labels_csv, recipe("Numbered"))
    place = int(rng.integers(len(album.ids)))
    calls = []
    for _ in range(2):
        item = dataset[place]
        whole = isinstance(item, tuple | list) and len(item) == 2 and isinstance(item[0], tuple) and len(item[0]) == 2
        require(whole, "an item is (what the transform gave, label)", got=item)
        calls.append(as_float(item[0][0], "the transform's result"))
        assert_close(item[0][1], 255 - album.pixels[place], "the negative that the transform made")
    require(calls[0] < calls[1], "the second look asks the transform again", expected="two calls", got="one")


@dataclass(frozen=True)
class Sets:
    """What `make_datasets` gave for twelve pictures: each looked at LOOKS times, with the normalisation undone."""

    pictures: np.ndarray  # (12, 3, side, side), 0 to 1
    train: np.ndarray  # (looks, n, 3, side, side)
    val: np.ndarray
    mean: np.ndarray
    std: np.ndarray

    @property
    def in_val(self) -> np.ndarray:
        """Which picture each validation image is, whatever its scale: the one that it correlates with best."""
        n = len(self.val[0])
        both = np.corrcoef(self.val[0].reshape(n, -1), self.pictures.reshape(len(self.pictures), -1))
        return np.nan_to_num(both[:n, n:]).argmax(axis=1)

    @property
    def in_train(self) -> np.ndarray:
        """The pictures that are not validation's."""
        return np.setdiff1d(np.arange(len(self.pictures)), self.in_val)


@reference
def dozen(run: Run) -> Album:
    """Three classes with three bright pictures and nine dark ones: no choice of validation leaves the mean where it was.

    Two of the bright ones are of one class, which gives one picture to validation: some are left for training, always.
    """
    rng = run.rng("dozen")
    bright, dark = 190, 40
    levels = [bright, bright, dark, dark, bright, dark, dark, dark, *[dark] * 4]
    pixels = [(level + rng.integers(-25, 26, (SIDE, SIDE, 3))).astype("uint8") for level in levels]
    order, ids = rng.permutation(12), rng.permutation(np.arange(1, 100))[:12]
    words = np.repeat(["cat", "dog", "frog"], 4)
    return Album(list(map(str, ids)), words[order].tolist(), [pixels[place] for place in order])


def sets_of(student, album: Album) -> Sets:
    found = student.data.make_datasets(album.root, album.labels_csv, SIDE, val_fraction=FRACTION, seed=5)
    if not (isinstance(found, tuple | list) and len(found) == 4):
        raise CheckFailed("make_datasets gives (train_set, val_set, mean, std)", got=found)
    train_set, val_set, mean, std = found
    mean, std = as_array(mean, "mean", shape=(3,)), as_array(std, "std", shape=(3,))
    seen = {}
    for name, images in (("training", train_set), ("validation", val_set)):
        values = student.tools.images_of(images, LOOKS)
        values = as_array(values, f"the {name} images", shape=(LOOKS, None, 3, SIDE, SIDE))
        seen[name] = values * std[:, None, None] + mean[:, None, None]
    counts = tuple(len(images[0]) for images in seen.values())
    require(counts == (9, 3), "a quarter of each class of four is for validation", expected=(9, 3), got=counts)
    pictures = np.stack([pixels.transpose(2, 0, 1) for pixels in album.pixels]) / 255
    return Sets(pictures, seen["training"], seen["validation"], mean, std)


@check(
    task="data",
    title="Both sets are normalised with the statistics of the training images",
    hint="Split first, then channel_stats of the training images without transform, mean and std, for both sets. The "
    "split's validation part is the validation set, the rest the training set.",
)
def test_datasets_statistics(student, dozen, gauge):
    sets = student.once("datasets", lambda: sets_of(student, dozen))
    training = sets.pictures[sets.in_train]  # (n, 3, side, side)
    # The mean of all pictures is 0.015 away or more, that of validation four times as far.
    assert_close(sets.mean, training.mean(axis=(0, 2, 3)), "mean", rtol=0, atol=1e-3)
    # That of all pictures is 0.01 away or more; with n - 1 for n it would be 1.5e-5.
    assert_close(sets.std, training.std(axis=(0, 2, 3)), "std", rtol=0, atol=1e-3)
    what = "the validation images, (value - mean) / std undone"
    assert_close(sets.val[0], sets.pictures[sets.in_val], what, rtol=0, atol=2e-3)
    middle = np.median(sets.train[..., 10:-10, 10:-10], axis=(0, 2, 3, 4))  # (n,): as far as augmentation leaves it
    expected, what = training.mean(axis=(1, 2, 3)), "brightness of the training images, (value - mean) / std undone"
    # Brightness may be drawn anew at each look: the median over looks, taken over all images, wanders by some 0.02.
    gauge(abs(middle.mean() - expected.mean()), f"the mean {what}, is right", at_most=0.07)
    gauge(abs(middle.std() - expected.std()), f"the spread of the {what}, is right", at_most=0.07)


@check(
    task="data",
    title="Training images are augmented, validation images never",
    hint="Two subsets of one dataset share its transform: make two datasets, one for each transform. An augmented image "
    "still shows its own picture.",
)
def test_datasets_augmentation(student, dozen, gauge):
    sets = student.once("datasets", lambda: sets_of(student, dozen))
    varies = np.ptp(sets.train, axis=0).max(axis=(1, 2, 3))  # (n,)
    rule = "a training image changes from look to look"
    require(bool((varies > 0.01).all()), rule, got=f"the same image {LOOKS} times")
    # Were they noise, the means of thirty looks would differ a fifth as much as the looks: 0.15.
    middle = sets.train[..., 10:-10, 10:-10].mean(axis=(2, 3, 4))  # (looks, n): brightness
    apart, within = middle.mean(axis=0).std(), middle.std(axis=0).mean()
    rule = "images differ more from each other than the looks at one"
    gauge(apart / (apart + within), rule, at_least=0.5, unit=" of all that differs", case="dark and bright pictures")
    varies = np.ptp(sets.val, axis=0).max()
    require(bool(varies < 1e-5), "a validation image stays the same", got="another image at another look")
