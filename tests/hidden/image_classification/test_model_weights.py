"""Task 2: what `load_backbone` reads, and what it refuses. Every tensor of the files is drawn for this run."""

import io

import numpy as np
import torch
from safetensors.torch import save

from grader.suite import as_array, assert_close, check, file, folder, recipe, require

STATISTICS = ("running_mean", "running_var")
EXACT = {"rtol": 0, "atol": 0}


def random_state(rng: np.random.Generator, depth: int, classes: int) -> dict[str, torch.Tensor]:
    """A state dict of `cifar_resnet<depth>` by He et al.'s table: 6n + 2 layers, of 16, 32 and 64 channels."""
    shapes: dict[str, tuple[int, ...]] = {"conv1.weight": (16, 3, 3, 3), **_norm("bn1", 16)}
    for layer, width in enumerate((16, 32, 64), 1):
        for block in range((depth - 2) // 6):
            inside = width // 2 if layer > 1 and block == 0 else width
            for number, channels in ((1, inside), (2, width)):
                name = f"layer{layer}.{block}"
                shapes[f"{name}.conv{number}.weight"] = (width, channels, 3, 3)
                shapes |= _norm(f"{name}.bn{number}", width)
    shapes |= {"fc.weight": (classes, 64), "fc.bias": (classes,)}
    drawn = {name: torch.tensor(rng.uniform(0.5, 1.5, shape), dtype=torch.float32) for name, shape in shapes.items()}
    counts = {name: torch.tensor(7) for name in shapes if name.endswith("num_batches_tracked")}
    return drawn | counts


def _norm(name: str, width: int) -> dict[str, tuple[int, ...]]:
    parts = dict.fromkeys(("weight", "bias", *STATISTICS), (width,))
    return {f"{name}.{part}": shape for part, shape in parts.items()} | {f"{name}.num_batches_tracked": ()}


def weights_file(state: dict[str, torch.Tensor], name: str):
    """A state dict as a file in the worker."""
    if name.endswith(".safetensors"):
        return file(name, save(state))
    stream = io.BytesIO()
    torch.save(state, stream)
    return file(name, stream.getvalue())


def require_reads(student, rng: np.random.Generator, ending: str) -> None:
    """A file that fits is read: to refuse them all is no answer."""
    state = random_state(rng, 8, int(rng.integers(2, 30)))
    network = student.model.load_backbone(
        "cifar_resnet8", weights_file(state, f"net{rng.integers(1000, 9999)}{ending}")
    )
    require(hasattr(network, "type_name"), "load_backbone gives a network", got=network, case="a file that fits")
    got = as_array(network.conv1.weight, "conv1.weight")
    assert_close(got, state["conv1.weight"], "conv1.weight of a file that fits", **EXACT)


def require_loaded(student, name: str, state: dict[str, torch.Tensor], path) -> None:
    network = student.model.load_backbone(name, path)
    assert_close(network.state_dict(), state, f"the state of {name}", **EXACT)


@check(
    title="load_backbone gives the network of that name with every tensor of a .safetensors file",
    hint="The head is as wide as the file's fc.bias; load_state_dict, BatchNorm's statistics too; a path may be text or Path.",
)
def test_load_weights(student, rng):
    for depth, classes in zip((8, 20), 2 + rng.choice(30, 2, replace=False), strict=True):
        state = random_state(rng, depth, int(classes))
        path = weights_file(state, "backbone.safetensors")
        require_loaded(student, f"cifar_resnet{depth}", state, path if depth == 8 else recipe("as_path", path))


@check(
    title="load_backbone reads a state dict that torch.save has written",
    hint="A .pt file is read by torch.load, a .safetensors file by safetensors: the ending tells which.",
)
def test_load_pt(student, rng):
    for as_path in (False, True):
        state = random_state(rng, 8, int(rng.integers(2, 30)))
        path = weights_file(state, "backbone.pt")
        require_loaded(student, "cifar_resnet8", state, recipe("as_path", path) if as_path else path)


@check(
    title="A state dict that does not fit raises ValueError that says what, of which network, in which file",
    hint="load_state_dict's own RuntimeError says what does not fit; never strict=False; a file without fc.bias does not fit.",
)
def test_load_refuses(student, rng):
    require_reads(student, rng, ".safetensors")
    state, deeper = random_state(rng, 8, 5), random_state(rng, 20, 5)
    gone = str(rng.choice(["layer1.0.conv1.weight", "layer2.0.bn1.running_mean", "layer3.0.bn2.bias"]))
    wrong = str(rng.choice(["conv1.weight", "layer2.0.conv2.weight", "fc.weight"]))
    cases = {
        "a tensor is missing": (without(state, gone), gone),
        "a tensor has another shape": (state | {wrong: state[wrong][..., :2].contiguous()}, wrong),
        "a tensor is too many": (state | {"layer4.extra": torch.ones(3)}, "layer4.extra"),
        "every name begins with module.": ({f"module.{name}": value for name, value in state.items()}, ""),
        "a deeper network's": (deeper, "layer"),
        "no fc.bias": (without(state, "fc.bias"), "fc"),
    }
    for number, (case, (bad, culprit)) in enumerate(cases.items()):
        name = f"net{rng.integers(1000, 9999)}." + ("safetensors", "pt")[number % 2]
        with student.raises(ValueError) as caught:
            student.model.load_backbone("cifar_resnet8", weights_file(bad, name))
        for word in ("cifar_resnet8", name, culprit):
            require(word in caught[0].text, "the message names it", expected=word, got=caught[0].text, case=case)


def without(state: dict, name: str) -> dict:
    return {key: value for key, value in state.items() if key != name}


@check(
    title="A path without a file raises FileNotFoundError",
    hint="Neither random weights nor another error in place of a file that is not there.",
)
def test_load_missing_file(student, rng):
    require_reads(student, rng, ".safetensors")
    for name in ("none.safetensors", "none.pt"):
        with student.raises(FileNotFoundError):
            student.model.load_backbone("cifar_resnet8", recipe("inside", folder({}), name))


@check(
    title="A .pt file that carries code is refused, and its code does not run",
    hint="torch.load unpickles, and unpickling runs whatever the file says, unless weights_only=True.",
)
def test_load_safely(student, rng):
    require_reads(student, rng, ".pt")
    for whole in (False, True):
        trap = student.make(recipe("Trap", random_state(rng, 8, 5), whole))
        with student.raises(Exception):
            student.model.load_backbone("cifar_resnet8", trap.path)
        require(trap.has_sprung() is False, "the file's code does not run", got="it ran")


@check(
    title="DEFAULT gives torchvision's published weights of the network named, None no download at all",
    hint='get_model(name, weights="DEFAULT"): the default of both arguments, and name counts; None means random weights.',
)
def test_load_published(student, rng):
    probes = ("conv1.weight", "layer2.0.conv1.weight", "layer3.1.bn2.running_mean", "fc.bias")
    published = student.make(recipe("Published", int(rng.integers(2**31))))
    try:
        for name, arguments in (("resnet18", ()), ("resnet34", ("resnet34",))):
            network = student.model.load_backbone(*arguments)
            for probe in probes:
                part = network.get_buffer(probe) if "running" in probe else network.get_parameter(probe)
                assert_close(part, published.tensor(name, probe), probe, case=f"load_backbone{arguments}", **EXACT)
            blocks = len(network.layer3)
            require(blocks == {"resnet18": 2, "resnet34": 6}[name], "the network is the one named", case=name)
    finally:
        published.withdraw()
    weights = as_array(student.model.load_backbone("cifar_resnet8", None).conv1.weight, "random weights")
    require(weights.shape == (16, 3, 3, 3) and weights.std() > 0.01, "None gives a network of random weights")
