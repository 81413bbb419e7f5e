"""Self-checks of task 1, data.py: `pytest -k data`."""

import io
import math

import numpy as np
from PIL import Image

from grader.suite import (
    Recipe,
    as_array,
    assert_close,
    check,
    file,
    folder,
    require,
    require_equal,
    tensor,
)

RED, GREY, BLUE = (255, 0, 0), (51, 51, 51), (0, 0, 255)

KAGGLE = "id,label\n10,frog\n2,cat\n1,frog\n"


def png(pixels: np.ndarray) -> bytes:
    """A file's content: (height, width) is saved in shades of grey, (height, width, 3) in colour."""
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype="uint8")).save(buffer, "PNG")
    return buffer.getvalue()


def picture(pixels: np.ndarray) -> Recipe:
    """A `PIL.Image` of (height, width, 3)."""
    return Recipe("PIL.Image:fromarray", (np.asarray(pixels, dtype="uint8"),))


def kaggle_folder(student, transform: object = None) -> object:
    """The dataset of three images of 2×2 pixels: 10 is a red frog, 2 a cat in shades of grey, 1 a blue frog."""
    images = {"10.png": png(np.full((2, 2, 3), RED)), "2.png": png(np.full((2, 2), 51))}
    root = folder(images | {"1.png": png(np.full((2, 2, 3), BLUE))})
    return student.data.ImageFolderCSV(root, file("trainLabels.csv", KAGGLE), transform)


@check(
    title="The dataset keeps the table's order, and counts the classes in the alphabet's",
    hint="Go through the rows as they come, never through the folder; a label is its name's place in sorted(set(…)).",
)
def test_data_order(student):
    dataset = kaggle_folder(student)
    case = "the table says: 10 frog, 2 cat, 1 frog"
    require_equal(len(dataset), 3, "the dataset is as long as the table", case)
    require_equal(list(dataset.classes), ["cat", "frog"], "classes are the sorted names, each once", case)
    require_equal(list(dataset.labels), [1, 0, 1], "labels are places in classes", case)
    pairs = [dataset[i] for i in range(3)]
    require_equal([label for _, label in pairs], [1, 0, 1], "each image comes with its label", case)
    colours = [image.getpixel((0, 0)) for image, _ in pairs]
    case = "10 is red, 2 a file in shades of grey, 1 blue"
    require_equal(colours, [RED, GREY, BLUE], "images come in the table's order, all as RGB", case)


@check(
    title="An image is opened when it is asked for, and a missing one is named",
    hint="__init__ reads the table alone. Image.open raises FileNotFoundError with the path by itself: let it through.",
)
def test_data_missing(student):
    root, table = folder({"1.png": png(np.full((2, 2, 3), RED))}), file("trainLabels.csv", "id,label\n1,cat\n77,cat\n")
    dataset = student.data.ImageFolderCSV(root, table)
    require_equal(
        len(dataset), 2, "a missing image is still in the list", "the table lists 1 and 77; there is no 77.png"
    )
    dataset[0]
    with student.raises(FileNotFoundError) as raised:
        dataset[1]
    text = raised[0].text
    require("77.png" in text, "the message holds the missing file's path", expected="… 77.png …", got=text)


@check(
    title="A transform is applied to each image, and the label stays a number",
    hint="return (self.transform(image) if self.transform else image), self.labels[i]",
)
def test_data_transform(student):
    dataset = kaggle_folder(student, Recipe("torchvision.transforms.v2:PILToTensor"))
    image, label = dataset[0]
    red = np.zeros((3, 2, 2))
    red[0] = 255
    assert_close(image, red, "the transform's result", case="a red image, through v2.PILToTensor()")
    require_equal(
        (type(label).__name__, label), ("int", 1), "the label is an int", "10 is a frog, and classes are cat, frog"
    )


@check(
    title="channel_stats counts every pixel once, whatever image it is in",
    hint="Add up pixels, sums and sums of squares over all images, then divide; averages of averages weigh images alike.",
)
def test_data_statistics(student):
    levels = np.array([1.0, 0.5, 0.8])[:, None, None]  # red, green, blue
    one, rest = levels * np.ones((1, 1)), levels * [[0.0] * 7, [0.0] * 7] + [[[0.0]], [[0.0]], [[0.8]]]
    mean, std = student.data.channel_stats([(tensor(one), 0), (tensor(rest), 1)])
    case = "an image of one pixel (1, 0.5, 0.8), and one of 2×7 pixels (0, 0, 0.8)"
    assert_close(mean, [1 / 15, 0.5 / 15, 0.8], "mean", case=case)
    spread = np.array([1.0, 0.5, 0.0]) * math.sqrt(14) / 15
    if not np.allclose(as_array(std, "std", shape=(3,)), spread * math.sqrt(15 / 14), atol=1e-4):  # with n - 1
        assert_close(std, spread, "std", case=case, atol=1e-4)


@check(
    title="The evaluation transform resizes, scales to 0 … 1 and normalises, and that is all",
    hint="Resize, ToImage, ToDtype(torch.float32, scale=True), Normalize, in this order; chance has no place here.",
)
def test_data_evaluation(student):
    transform = student.data.build_transforms(2, [0.5, 0.5, 0.2], [0.5, 0.25, 0.1], train=False)
    pixels = np.array([[(255, 0, 51), (0, 255, 51)], [(255, 255, 0), (0, 0, 102)]])
    wanted = [[[1.0, -1], [1, -1]], [[-2.0, 2], [2, -2]], [[0.0, 0], [-2, 2]]]
    case = "2×2 pixels (255, 0, 51), (0, 255, 51); (255, 255, 0), (0, 0, 102); mean 0.5, 0.5, 0.2; std 0.5, 0.25, 0.1"
    for _ in range(8):
        got = transform(picture(pixels))
        require_equal(str(got.dtype).removeprefix("torch."), "float32", "the result is float32")
        assert_close(got, wanted, "the image, each time,", case=case, atol=1e-5)
    got = transform(picture(np.full((6, 4, 3), (255, 0, 51))))
    wanted = np.broadcast_to(np.array([1.0, -2, 0])[:, None, None], (3, 2, 2))
    assert_close(got, wanted, "the image", case="6×4 pixels (255, 0, 51), resized to 2×2", atol=1e-5)


@check(
    title="The training transform shows each time another view, in the same colours",
    hint="A padded RandomCrop and a RandomHorizontalFlip before the scaling; what is drawn is drawn at every call.",
)
def test_data_augmentation(student):
    transform = student.data.build_transforms(8, [0.5] * 3, [0.5] * 3, train=True)
    slope = np.arange(64).reshape(8, 8, 1) * [4, 3, 2]
    views = [as_array(transform(picture(slope)), "the image", shape=(3, 8, 8)) for _ in range(30)]
    different = any(not np.array_equal(view, views[0]) for view in views)
    require(different, "thirty views of an image are not all the same", got="thirty times the same")
    plain = picture(np.full((8, 8, 3), (204, 102, 51)))
    colours = np.median([as_array(transform(plain), "the image") for _ in range(12)], axis=(0, 2, 3))  # (3,)
    near = bool((np.abs(colours - [0.6, -0.2, -0.6]) <= 0.3).all())
    case = "an image that is (204, 102, 51) everywhere, mean and std 0.5: the middle value of each channel"
    require(near, "colours stay right", expected=[0.6, -0.2, -0.6], got=colours.round(3).tolist(), case=case)


@check(
    title="The split shares out every class in the same proportion",
    hint="For each class apart: shuffle its places with np.random.default_rng(seed), give the first part to validation.",
)
def test_data_split(student):
    labels = [0] * 8 + [1] * 4 + [2] * 8
    parts = student.data.stratified_split(labels, 0.25, seed=0)
    train_idx, val_idx = (as_array(part, "a part").astype(int).tolist() for part in parts)
    case = "8 images of class 0, 4 of class 1, 8 of class 2; val_fraction 0.25"
    require_equal(sorted(train_idx + val_idx), list(range(20)), "every place is in exactly one part", case)
    require_equal(
        [[labels[i] for i in val_idx].count(c) for c in range(3)], [2, 1, 2], "validation has its share of each", case
    )
    again, other = (as_array(student.data.stratified_split(labels, 0.25, seed=s)[1], "val_idx") for s in (0, 1))
    require_equal(
        again.astype(int).tolist(), val_idx, "the same seed gives the same split", "val_idx, twice with seed 0"
    )
    different = sorted(other.tolist()) != sorted(val_idx)
    require(different, "another seed gives another split", got=f"{sorted(val_idx)} with seed 0 and with seed 1")


@check(
    title="Training images are augmented and measured, validation images neither",
    hint="Two ImageFolderCSV with a transform each, and a Subset of each; channel_stats of the training places alone.",
)
def test_data_datasets(student):
    greys = [0, 30, 60, 90, 120, 150, 180, 210]  # of the left half; the right half is lighter by 40
    files = {
        f"{i}.png": png(np.repeat(np.tile([grey] * 4 + [grey + 40] * 4, (8, 1))[..., None], 3, 2))
        for i, grey in enumerate(greys)
    }
    table = "id,label\n" + "".join(f"{i},{'cat' if i % 2 else 'dog'}\n" for i in range(8))
    made = student.data.make_datasets(folder(files), file("trainLabels.csv", table), 8, val_fraction=0.25, seed=0)
    train_set, val_set, mean, std = made
    require_equal(
        (len(train_set), len(val_set)), (6, 2), "the sets share out the images", "4 of each class, val_fraction 0.25"
    )
    mean, std = (as_array(values, "mean and std", shape=(3,))[:, None, None] for values in (mean, std))
    shown = [as_array(val_set[i][0], "an image", shape=(3, 8, 8)) * std + mean for i in (0, 1, 0, 1, 0, 1, 0, 1)]
    views = [image.round(3).tolist() for image in shown]
    require_equal(views[2:], views[:2] * 3, "a validation image is always the same", "two images, four times each")
    held = [round(float(image[0, 0, 0]) * 255) for image in shown[:2]]
    known = set(held) <= set(greys) and len(set(held)) == 2
    require(known, "undone with mean and std, validation images are as on the disk", expected=greys, got=held)
    rest = np.array([[grey, grey + 40] for grey in greys if grey not in held]) / 255  # (6, 2)
    case = f"validation holds the images {held}; mean and std of the six others"
    assert_close(mean.ravel(), [rest.mean()] * 3, "mean", case=case, atol=1e-4)
    near = min(abs(std.ravel() - rest.std()).max(), abs(std.ravel() - rest.std() * math.sqrt(384 / 383)).max()) < 1e-4
    require(near, "std is right", expected=round(float(rest.std()), 4), got=std.ravel().round(4).tolist(), case=case)
    drawn = [as_array(train_set[0][0], "an image").round(3).tolist() for _ in range(30)]
    different = any(view != drawn[0] for view in drawn)
    require(different, "a training image is augmented anew each time", got="the same image thirty times")


@check(
    title="Loaders give every image; training's are shuffled anew each epoch, by the seed",
    hint="shuffle=True and a torch.Generator with the seed for training alone; leave drop_last as it is.",
)
def test_data_loaders(student):
    def sets(n: int) -> Recipe:
        return Recipe("torch.utils.data:TensorDataset", (tensor(np.zeros((n, 3, 1, 1))), tensor(np.arange(n))))

    def orders(seed: int) -> list[list[int]]:
        train_loader = student.data.make_loaders(sets(9), sets(5), 2, seed=seed)[0]
        return [[int(i) for _, labels in train_loader for i in as_array(labels, "labels")] for _ in range(2)]

    val_loader = student.data.make_loaders(sets(9), sets(5), 2, seed=0)[1]
    batches = [as_array(labels, "labels").astype(int).tolist() for _, labels in val_loader]
    require_equal(
        batches, [[0, 1], [2, 3], [4]], "validation comes in order, the last batch too", "5 images, batch_size 2"
    )
    first, second = orders(seed=0)
    require_equal(sorted(first), list(range(9)), "each training image comes once an epoch", "9 images, batch_size 2")
    require(first != second, "each epoch has an order of its own", got=f"{first} in both")
    require_equal(orders(seed=0), [first, second], "the same seed gives the same orders", "seed 0, two epochs, twice")
    require(orders(seed=1) != [first, second], "another seed gives others", got=f"{first} with seed 0 and with seed 1")
