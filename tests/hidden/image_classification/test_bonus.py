"""Bonus, more pictures: augmentation is read off images that say where their pixels come from, mixup off its targets."""

import numpy as np

from grader.suite import as_array, assert_close, check, recipe, require, tensor


def augment(student, policy: str, image: np.ndarray, times: int, as_picture: bool = False) -> list[np.ndarray]:
    """What a policy makes of an image (h, w, 3), several times; each of the image's own kind and size."""
    transform = student.once(f"augmentation {policy}", lambda: student.bonus.augmentation(policy))
    kinds, images = student.tools.augmented(transform, image, times, as_picture)
    wanted = "PIL image" if as_picture else "torch.uint8"
    require(
        set(kinds) == {wanted}, "an image stays of its kind", expected=wanted, got=sorted(set(kinds)), case=repr(policy)
    )
    return [as_array(made, "the image", shape=image.shape, case=repr(policy)) for made in images]


def coded(rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    """An image whose pixels say where they come from: 10 · row, 9 · column, chance."""
    rows, columns = np.mgrid[:height, :width]
    return np.stack([10 * rows, 9 * columns, rng.integers(256, size=rows.shape)], axis=2).astype("uint8")


def window(image: np.ndarray, made: np.ndarray) -> tuple[int, int, bool]:
    """(rows, columns, mirrored) by which a window of the image is out of place; every pixel of the image in it is right."""
    height, width, _ = image.shape
    y, x = height // 2, width // 2
    mirrored = bool(made[y, x + 1, 1] < made[y, x, 1])
    unmirrored = made[:, ::-1] if mirrored else made
    down, right = unmirrored[y, x, 0] / 10 - y, unmirrored[y, x, 1] / 9 - x
    fits = down.is_integer() and right.is_integer() and max(abs(down), abs(right)) <= 4
    require(fits, "a window is at most 4 pixels out of place", got=(float(down), float(right)))
    down, right = int(down), int(right)
    rows, columns = (slice(max(0, -by), size - max(0, by)) for by, size in ((down, height), (right, width)))
    from_rows, from_columns = (slice(max(0, by), size + min(0, by)) for by, size in ((down, height), (right, width)))
    same = np.array_equal(unmirrored[rows, columns], image[from_rows, from_columns])
    require(same, "what a window shows of the image is not changed", got="other pixels")
    return down, right, mirrored


@check(
    title="The standard policy crops out of the padded image and mirrors every second one",
    hint="PadCrop(4), then RandomHorizontalFlip, drawn anew at every call; for tensors and PIL images of any size.",
)
def test_standard_policy(on_stand_ins, rng, gauge):
    image = coded(rng, 20, 28)
    made = augment(on_stand_ins, "standard", image, 120) + augment(on_stand_ins, "standard", image, 60, as_picture=True)
    downs, rights, mirrored = np.array([window(image, one) for one in made]).T
    for name, by in (("rows", downs), ("columns", rights)):  # one of 180 windows misses an end once in 10^9 runs
        require(set(by) >= {-4, 4}, f"windows reach 4 {name} to both sides", got=(int(by.min()), int(by.max())))
    gauge(mirrored.mean(), "every second image is mirrored left to right", at_least=0.15, at_most=0.85)


@check(
    title="none changes nothing, trivial_augment is torchvision's, and another policy is refused",
    hint="TrivialAugmentWide applies one operation at a call; the ValueError names the policies that there are.",
)
def test_other_policies(on_stand_ins, rng, gauge):
    image = coded(rng, 14, 18)
    for as_picture in (False, True):
        assert_close(augment(on_stand_ins, "none", image, 1, as_picture)[0], image, "what none makes of an image")
    plain = np.full((32, 32, 3), rng.permutation([60, 110, 170]), dtype="uint8")
    moved = recoloured = 0
    made = augment(on_stand_ins, "trivial_augment", plain, 80)
    for one in made + augment(on_stand_ins, "trivial_augment", plain, 40, as_picture=True):
        colours = set(np.unique(one @ [65536, 256, 1]))
        keeps = float(plain[0, 0] @ [65536, 256, 1]) in colours
        moved += keeps and len(colours) > 1
        recoloured += not keeps and len(colours) == 1
        require(keeps or len(colours) == 1, "one call is one operation", got="an image both moved and recoloured")
    # of 120 images of one colour about 40 move and 35 change their colour
    gauge(moved, "trivial_augment moves images", at_least=4, unit=" of 120")
    gauge(recoloured, "trivial_augment changes colours", at_least=4, unit=" of 120")
    with on_stand_ins.raises(ValueError) as caught:
        on_stand_ins.bonus.augmentation("cutmix")
    unnamed = [name for name in ("none", "standard", "trivial_augment") if name not in caught[0].text]
    require(not unnamed, "the message names the policies", expected=unnamed, got=caught[0].text)


def mix(student, batch: tuple, alpha: float, generator: object) -> tuple[np.ndarray, np.ndarray]:
    made = student.bonus.mixup(batch, alpha, generator)
    require(isinstance(made, tuple | list) and len(made) == 2, "mixup gives (images, targets)", got=made)
    return as_array(made[0], "what mixup makes of images"), as_array(made[1], "what mixup makes of targets")


def require_mixture(mixed: tuple, images: np.ndarray, targets: np.ndarray, case: str) -> tuple[int, ...]:
    """The partners in a mixup whose two parts were mixed with one weight and the same partners."""
    n = len(targets)
    require(mixed[1].shape == targets.shape, "targets keep their shape", expected=targets.shape, got=mixed[1].shape)
    parts = np.linalg.solve(targets.T, mixed[1].T).T  # (n, n): how much of each target is in each mixed one
    weight = float(np.diag(parts).min())  # an image that is its own partner has 1
    partners = (parts - weight * np.eye(n)).argmax(axis=1)
    expected = weight * np.eye(n) + (1 - weight) * np.eye(n)[partners]
    # solving makes float32's rounding some ten times larger
    assert_close(
        parts, expected, "what is in each target, λ of its own and 1 - λ of one other's,", atol=1e-4, case=case
    )
    if weight < 0.999:
        once = len(set(partners.tolist())) == n
        require(once, "each image is the partner of one", got=partners.tolist(), case=case)
    blend = weight * images + (1 - weight) * images[partners]
    assert_close(mixed[0], blend, "what is in each image, the same as in its target,", atol=1e-4, case=case)
    return tuple(partners.tolist())


@check(
    title="mixup mixes images and targets with one weight and the same partners",
    hint="One λ and one torch.randperm for the batch, both used for images and targets; the batch itself stays as it is.",
)
def test_mixup_mixes(on_stand_ins, rng):
    n, orders = 7, set()
    images = rng.uniform(size=(n, 3, 4, 4)).astype("float32")
    targets = (0.8 * np.eye(n) + 0.2 * rng.dirichlet(np.ones(n), n)).astype("float32")  # not one-hot: mixed before
    batch = tuple(on_stand_ins.make(tensor(part)) for part in (images, targets))
    for draw in range(4):
        generator, case = on_stand_ins.make(recipe("generator", int(rng.integers(2**31)))), f"batch {draw + 1}"
        orders.add(require_mixture(mix(on_stand_ins, batch, 1.0, generator), images, targets, case))
        for name, part, before in zip(("images", "targets"), batch, (images, targets), strict=True):
            assert_close(part.cpu(), before, f"the batch's own {name}, afterwards,", rtol=0, atol=0, case=case)
    require(len(orders) > 1, "the partners are drawn for each batch", got="the same ones in 4 batches")


@check(
    title="mixup's weight follows Beta(α, α), drawn for each batch from the generator",
    hint="np.random.default_rng(seed).beta(alpha, alpha) as it comes, the seed out of torch.randint(…, "
    "generator=generator); with α = 0, which Beta does not know, nothing is mixed.",
)
def test_mixup_weight(on_stand_ins, rng):
    n, draws = 6, 400
    batch = tuple(on_stand_ins.make(tensor(part)) for part in (np.zeros((n, 3, 1, 1)), np.eye(n)))
    for alpha in (0.3, 4.0):
        seed = int(rng.integers(2**31))
        generator, again = (on_stand_ins.make(recipe("generator", seed)) for _ in range(2))
        first = [mix(on_stand_ins, batch, alpha, generator)[1] for _ in range(draws)]
        weights, case = np.array([np.diag(targets).min() for targets in first]), f"α = {alpha}"
        variance = 1 / (4 * (2 * alpha + 1))
        # five and a half standard errors; the squared distances from 1/2 lie between 0 and 1/4
        spread = 5.5 * np.sqrt(variance / draws)
        assert_close(weights.mean(), 0.5, "the mean of λ", rtol=0, atol=spread, case=case)
        spread = 5.5 * np.sqrt(variance * (1 / 4 - variance) / draws)
        assert_close(((weights - 0.5) ** 2).mean(), variance, "the variance of λ", rtol=0, atol=spread, case=case)
        repeated = [mix(on_stand_ins, batch, alpha, again)[1] for _ in range(3)]
        assert_close(repeated, first[:3], "what the same generator gives once more", case=case)
    unmixed = mix(on_stand_ins, batch, 0, on_stand_ins.make(recipe("generator", 1)))
    assert_close(unmixed[1], np.eye(n), "what α = 0 leaves of the targets", case="α = 0")
