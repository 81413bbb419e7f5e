"""Task 1, statistics, transforms, split and loaders: against plain NumPy."""

from dataclasses import dataclass

import numpy as np

from grader.suite import Run, as_array, assert_close, check, recipe, reference, require

DRAWS = 60  # of one augmented image: their median tells what a light augmentation leaves alone


def noise(rng: np.random.Generator, *shape: int) -> np.ndarray:
    """Random uint8 pixels."""
    return rng.integers(0, 256, shape, dtype="uint8")


@check(
    title="channel_stats counts every pixel once",
    hint="Each channel apart, over all pixels, 0 to 1: the images' means or deviations averaged are something else. "
    "std is the root of the variance; permute, not reshape, moves channels.",
)
def test_stats_exact(student, rng):
    # Small images are dark and flat, large ones bright and lively: no mean of means or of deviations comes near.
    small = [rng.integers(10, 60, (6, 7, 3), dtype="uint8") for _ in range(5)]
    large = [noise(rng, 40, 30, 3) | np.array([0, 64, 128], "uint8") for _ in range(3)]
    images = small + large
    pixels = np.concatenate([image.reshape(-1, 3) for image in images]) / 255  # (n, 3)
    for kind, case in (("pil", "PIL images"), ("uint8", "uint8 tensors"), ("float", "float tensors")):
        dataset = recipe("Pairs", images, [0] * len(images), [kind] * len(images))
        found = student.data.channel_stats(dataset)
        pair = isinstance(found, tuple | list) and len(found) == 2
        require(pair, "channel_stats gives (mean, std)", got=found, case=case)
        # Of 3,810 pixels, the deviations with n and with n - 1 differ by 1.3e-4 of themselves.
        assert_close(found[0], pixels.mean(axis=0), "mean", rtol=1e-3, case=case)
        assert_close(found[1], pixels.std(axis=0), "std", rtol=1e-3, case=case)


@dataclass(frozen=True)
class Look:
    """A size and statistics for `build_transforms`."""

    size: int
    mean: np.ndarray
    std: np.ndarray

    def transform(self, student, *, train: bool) -> object:
        return student.data.build_transforms(self.size, self.mean.tolist(), self.std.tolist(), train=train)

    def normalised(self, pixels: np.ndarray) -> np.ndarray:
        """uint8 (height, width, 3) -> (3, height, width)."""
        return ((pixels / 255 - self.mean) / self.std).transpose(2, 0, 1)

    def units(self, result: object, case: str = "") -> np.ndarray:
        """A transform's result with the normalisation undone, 0 to 1."""
        got = as_array(result, "the transform's result", shape=(3, self.size, self.size), case=case)
        return got * self.std[:, None, None] + self.mean[:, None, None]


@reference
def look24(run: Run) -> Look:
    """Statistics that differ between the channels; a size that is nobody's habit."""
    rng = run.rng("look24")
    return Look(24, rng.permutation([0.3, 0.45, 0.6]) + rng.uniform(0, 0.05, 3), rng.uniform(0.15, 0.3, 3))


def require_float32(result: object) -> None:
    dtype = str(getattr(result, "dtype", type(result).__name__))
    require(dtype == "torch.float32", "the result is a float32 tensor", got=dtype)


@check(
    title="For evaluation an image is resized, scaled to 0 … 1 and normalised, nothing else",
    hint="float32 (3, size, size), by permuting, not reshaping; then (value - mean) / std once, with the mean and "
    "std given; v2.ToDtype needs scale=True.",
)
def test_eval_transform(student, look24, rng):
    transform, size, repeated = look24.transform(student, train=False), look24.size, student.tools.repeated
    pixels = noise(rng, size, size, 3)
    # Thirty times: a flip in one of two calls would escape that once in 10^9 runs.
    for result in repeated(transform, recipe("picture", pixels), 30):
        require_float32(result)
        assert_close(result, look24.normalised(pixels), "an image of the right size", rtol=1e-4, atol=1e-4)
    slope = rng.permutation([[70, 1], [160, -1], [90, 2]])
    for side in (2 * size, size // 2):
        # A ramp of colours: whichever way it is resized, it is the same ramp but for the edges.
        large, wanted = (_ramp(slope, n) for n in (side, size))
        (result,) = repeated(transform, recipe("picture", large.round().astype("uint8")), 1)
        case = f"{side} × {side} pixels to {size} × {size}"
        got, expected = look24.units(result, case), wanted.transpose(2, 0, 1) / 255
        what = "the image without its edges, from 0 to 1"
        assert_close(got[:, 3:-3, 3:-3], expected[:, 3:-3, 3:-3], what, rtol=0, atol=3 / 255, case=case)
    (result,) = repeated(transform, recipe("picture", noise(rng, size + 9, size - 5, 3)), 1)
    look24.units(result, "an image that is no square")


def _ramp(slope: np.ndarray, n: int) -> np.ndarray:
    """(n, n, 3) of 0 … 255: each colour rises or falls downwards, and half as much to the right."""
    at = (np.arange(n) + 0.5) / n  # the middles of the pixels
    return slope[:, 0] + slope[:, 1] * (38 * at[:, None, None] + 19 * at[None, :, None])


@check(
    title="For training an image comes out differently from call to call",
    hint="A random crop of the padded image and a random flip, drawn inside the transform, which sets no seed. What is "
    "drawn is what happens to the picture, not what is in it.",
)
def test_train_transform_varies(student, look24, rng, gauge):
    size = look24.size
    level = np.where(np.arange(size) < size // 2, *rng.permutation([60, 190]))[:, None, None]
    pixels = (level + rng.integers(-50, 51, (size, size, 3))).astype("uint8")
    results = student.tools.repeated(look24.transform(student, train=True), recipe("picture", pixels), DRAWS)
    first, *others = units = [look24.units(result) for result in results]
    same = all(np.allclose(first, other) for other in others)
    require(not same, "augmentation is drawn anew at each call", got=f"{DRAWS} times the same result")
    # The rows' brightness, whatever its scale and whichever way up: another image's agrees no better than by chance, 0.15.
    rows = [abs(np.corrcoef(unit.mean(axis=(0, 2)), pixels.mean(axis=(1, 2)))[0, 1]) for unit in units]
    gauge(
        np.median(np.nan_to_num(rows)),
        "it is the same picture each time",
        at_least=0.5,
        case="one half bright, the other dark",
    )


@check(
    title="Augmentation is light: the picture stays recognisable, colours and scale are those of evaluation",
    hint="Augment the picture, then the same size, scaling and normalisation as without train; crops, flips left to "
    "right, little more: nothing stands upside down.",
)
def test_train_transform_light(student, look24, rng, gauge):
    transform, size, repeated = look24.transform(student, train=True), look24.size, student.tools.repeated
    colour = (255 * (rng.permutation([0.25, 0.5, 0.75]) + rng.uniform(-0.04, 0.04, 3))).astype("uint8")
    plain = np.tile(colour, (size + 6, size + 6, 1))
    results = repeated(transform, recipe("picture", plain), DRAWS)
    require_float32(results[0])
    units = np.stack([look24.units(result) for result in results])  # (draws, 3, size, size)
    low, high = np.median(units.min(axis=(1, 2, 3))), np.median(units.max(axis=(1, 2, 3)))
    inside = bool(low >= -0.01 and high <= 1.01)
    require(inside, "undoing the normalisation gives 0 to 1", got=f"{low:.2f} to {high:.2f}")
    third = size // 3
    found = np.median(units[:, :, third:-third, third:-third], axis=(0, 2, 3))
    # A tenth of the whole range leaves room for changes of brightness or hue, up or down from call to call.
    require(found.shape == (3,), "a result has three channels", expected=(3,), got=found.shape)
    far = np.abs(found - colour / 255).max()
    gauge(far, "the median colour in the middle stays", at_most=0.1, case="one plain colour")
    half = np.arange(size) < size // 2
    quarters = np.where((half[:, None] ^ half)[:, :, None], colour, 255 - colour).astype("uint8")
    results = repeated(transform, recipe("picture", quarters), DRAWS)
    spread = np.median([look24.units(result).std(axis=(1, 2)).mean() for result in results])
    part = spread / (quarters / 255).std(axis=(0, 1)).mean()
    gauge(part, "contrast stays, at least half of it", at_least=0.5, case="four quarters in two colours")
    halves = np.where(half[:, None, None], colour, np.tile(255 - colour, (size, 1))).astype("uint8")
    results = repeated(transform, recipe("picture", halves), DRAWS)
    turned = sum(upside_down(look24.units(result), colour / 255) for result in results)
    # Flips from top to bottom in every second call would come so seldom once in 10^10 runs.
    few, got = bool(turned <= DRAWS / 10), f"upside down {turned} times of {DRAWS}"
    require(few, "a picture is not turned upside down", got=got, case="one colour above, its negative below")


def upside_down(units: np.ndarray, colour: np.ndarray) -> bool:
    """Is (3, size, size) below more like this colour than above?"""
    third = units.shape[1] // 3
    more = units[:, :third].mean(axis=(1, 2)) - units[:, -third:].mean(axis=(1, 2))  # (3,)
    return bool(more @ (colour - 0.5) < 0)


CLASSES, EACH, FRACTION = 10, 40, 0.25


def split(student, labels: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """The student's (train_idx, val_idx)."""
    found = student.data.stratified_split(labels.tolist(), FRACTION, seed)
    require(isinstance(found, tuple | list) and len(found) == 2, "stratified_split gives two lists", got=found)
    train, val = (as_array(places, "the places", shape=(None,)) for places in found)
    return train, val


@check(
    title="Every place is in exactly one part, and the seed decides in which",
    hint="Draw with a generator made of the seed; what is not for validation is for training.",
)
def test_split_parts(student, rng):
    labels = rng.permutation(np.repeat(np.arange(CLASSES), EACH))
    chosen = []
    for seed in (3, 3, 4, 5):
        train, val = split(student, labels, seed)
        both = np.sort(np.concatenate([train, val]))
        whole = bool(np.array_equal(both, np.arange(len(labels))) and len(train) and len(val))
        expected, got = f"{len(labels)} places", f"{len(np.unique(both))} different of {len(both)}"
        require(whole, "each place is in exactly one part", expected=expected, got=got)
        chosen.append(set(val))
    require(chosen[0] == chosen[1], "the same seed gives the same split")
    require(not chosen[0] == chosen[2] == chosen[3], "another seed gives another split", got="three times the same")


@check(
    title="Validation takes the same part of every class",
    hint="Split the places of each class apart, then put the parts together; val_fraction is validation's.",
)
def test_split_stratified(student, rng):
    sizes = rng.permutation(np.arange(CLASSES) * 4 + EACH // 2)
    labels = rng.permutation(np.repeat(np.arange(CLASSES), sizes))
    # Three times: what leaves classes to chance comes so near once in 10^3 splits.
    for seed in range(3):
        _, val = split(student, labels, seed)
        inside = bool(((val >= 0) & (val < len(labels))).all())
        require(inside, "the places are 0 … n-1", got=val)
        found = np.bincount(labels[val.astype(int)], minlength=CLASSES)
        # One more or less: libraries round the whole first.
        assert_close(found, FRACTION * sizes, "images of each class in validation", rtol=0, atol=1)


BATCH, TRAIN, VAL = 4, 23, 10


def epochs(student, seed: int) -> list[tuple[list[int], list[int]]]:
    """Places of the images, and sizes of the batches: two epochs of training, then two of validation."""
    found = student.data.make_loaders(recipe("Places", TRAIN), recipe("Places", VAL), BATCH, seed=seed)
    require(isinstance(found, tuple | list) and len(found) == 2, "make_loaders gives two loaders", got=found)
    result = []
    for batches in (student.tools.epoch(loader) for loader in (found[0], found[0], found[1], found[1])):
        places = [as_array(images, "a batch's images", shape=(None, 3, 4, 4))[:, 0, 0, 0] for images, _ in batches]
        labels = [as_array(labels, "a batch's labels", shape=(None,)) for _, labels in batches]
        assert_close(np.concatenate(labels), np.concatenate(places) % 3, "the labels beside the images")
        result.append((np.concatenate(places).astype(int).tolist(), list(map(len, places))))
    return result


@check(
    title="An epoch shows every image once, in batches of batch_size",
    hint="batch_size holds for both loaders; drop_last=False, for training too: the last batch is smaller.",
)
def test_loaders_complete(student, rng):
    cases = (("training", TRAIN), ("validation", VAL))
    seen = epochs(student, int(rng.integers(1000)))[::2]
    for (case, n), (places, sizes) in zip(cases, seen, strict=True):
        require(sorted(places) == list(range(n)), "every image comes once", expected=n, got=sorted(places), case=case)
        full = [BATCH] * (n // BATCH) + [n % BATCH]
        require(sizes == full, "all batches but the last are full", expected=full, got=sizes, case=case)


@check(
    title="Only training is shuffled, anew each epoch, as the seed says",
    hint="shuffle=True with generator=torch.Generator().manual_seed(seed); validation keeps its order.",
)
def test_loaders_shuffle(student, rng):
    seed = int(rng.integers(1000))
    runs = [[places for places, _ in epochs(student, s)] for s in (seed, seed, seed + 1)]
    (first, second, *val), again, other = runs
    require(val == [list(range(VAL))] * 2, "validation images keep their order", got=val[0])
    own = first != sorted(first) and second != sorted(second) and second != first
    require(own, "each epoch of training has an order of its own", got=first)
    require([first, second] == again[:2], "the same seed gives the same orders", got=again[0])
    require(other[0] != first, "another seed gives another order", got=other[0])
