"""Task 2: networks whose every tensor is drawn, so that a tensor is known by its values wherever a student puts it.

How a classifier holds its backbone is free. So the checks ask for no place inside it: they look for the values that the
backbone had, train a few steps, and look which of them have moved. Names need only contain the layers'.
"""

from collections import Counter

import numpy as np
import torch

from grader.suite import CheckFailed, as_array, as_float, assert_close, assert_same, check, recipe, require, tensor

LAYERS = ("conv1", "bn1", "layer1", "layer2", "layer3", "layer4", "fc")
STATISTICS = ("running_mean", "running_var")
WIDTHS = {"SmallResNet": (6, 8, 10, 12), "SmallCifar": (6, 9, 11)}
KINDS = tuple(WIDTHS)
HEAD = "fc.(the new head)"


class Case:
    """A random backbone with some images, and what became of each of its tensors in the student's classifier."""

    def __init__(self, student, rng: np.random.Generator, kind: str, *, old_classes: int = 7) -> None:
        self.student, self.kind = student, kind
        self.backbone = student.make(recipe(kind, WIDTHS[kind], old_classes, int(rng.integers(2**31))))
        self.features = {n: value for n, value in state_of(self.backbone).items() if not n.startswith("fc.")}
        self.images = rng.normal(size=(8, 3, 8, 8)).astype("float32")
        self.labels = rng.permutation(8) % 3

    def classifier(self, classes: int = 5, **how: bool):
        return self.student.model.build_classifier(self.backbone, classes, **how)

    def trained(self, model) -> dict[str, bool]:
        """Train for two steps of SGD in training mode; for each of the backbone's tensors and the head, has it moved?"""
        _, before, after = self.student.tools.train_briefly(model, self.images, self.labels)
        before, after = as_arrays(before), as_arrays(after)
        gone = {name: not np.array_equal(after[name], value) for name, value in before.items()}
        places = self.places(before)
        moved = {name: gone[own] for name, own in places.items()}
        return moved | {HEAD: any(gone[name] for name in gone if name not in places.values())}

    def places(self, state: dict[str, np.ndarray]) -> dict[str, str]:
        """Where each of the backbone's tensors is in a classifier's state, found by its values."""
        own: dict[tuple, str] = {}
        for name, value in state.items():  # a module may be registered twice; its first name is its parameters' name
            own.setdefault(_key(value), name)
        lost = [name for name, value in self.features.items() if _key(value) not in own]
        if lost:
            raise CheckFailed("the classifier keeps the backbone's tensors", expected=lost[:3], case=self.kind)
        return {name: own[_key(value)] for name, value in self.features.items()}

    def answers(self, model, images: np.ndarray | None = None) -> np.ndarray:
        """The model's answers in the mode that it is in; dropout, where there is any, draws the same each time."""
        shown = tensor(self.images if images is None else images)
        return as_array(self.student.tools.seeded(model, shown), "the model's answer")

    def require_moved(self, moved: dict[str, bool], learning: tuple[str, ...], case: str = "") -> None:
        """Exactly the tensors below these layers have moved, BatchNorm's statistics among them."""
        case = ", ".join(filter(None, (self.kind, case)))
        wanted = {name: name.split(".")[0] in learning for name in moved}
        still = [name for name in moved if wanted[name] and not moved[name]]
        loose = [name for name in moved if moved[name] and not wanted[name]]
        require(not loose, "what is frozen stands still in training", got=f"moved: {loose[:4]}", case=case)
        require(not still, "what is not frozen learns", got=f"did not move: {still[:4]}", case=case)


def _key(value: object) -> tuple:
    array = np.asarray(value)
    return array.shape, array.tobytes()


def state_of(model) -> dict[str, np.ndarray]:
    """A module's state dict as arrays."""
    state = model.state_dict() if hasattr(model, "type_name") else None
    require(isinstance(state, dict), "build_classifier gives an nn.Module", got=type(model).__name__)
    return as_arrays(state)


def as_arrays(state: dict) -> dict[str, np.ndarray]:
    """A state's tensors, without BatchNorm's counters: they cannot be told apart by their values."""
    return {str(name): np.asarray(value) for name, value in state.items() if value.dtype.is_floating_point}


@check(
    title="The new head has num_classes outputs, on any backbone",
    hint="fc = nn.Linear(backbone.fc.in_features, num_classes): neither number is fixed, the old head goes, no "
    "logits of old classes are its input. Layers keep their names: nn.Sequential(*children()) would number them.",
)
def test_head_width(student, rng):
    for kind in KINDS:
        for classes in (7, int(rng.integers(8, 28))):
            case = Case(student, rng, kind, old_classes=7)
            old = case.answers(case.backbone.eval())
            model = case.classifier(classes)
            model.eval()
            where = f"{kind} with 7 outputs, num_classes={classes}"
            logits, wanted = case.answers(model), (8, classes)
            require(logits.shape == wanted, "there is a logit a class", expected=wanted, got=logits.shape, case=where)
            kept = logits.shape == old.shape and np.allclose(logits, old)
            require(not kept, "the head is a new one", got="the old head's answers", case=where)
            require_own_head(case, model, classes, where)
            student.tools.without_zeros(model, int(rng.integers(2**31)))
            first, second = case.answers(model), case.answers(model, case.images[::-1].copy())[::-1]
            # float32 sums in another order may differ in the last digits
            assert_same(first, second, "the answers in another order", rtol=1e-3, atol=1e-3, case=where)


def require_own_head(case: Case, model, classes: int, where: str) -> None:
    """The new head's weight leads from the backbone's features, and parameters are called after their layers."""
    own, features = parameters_of(model), WIDTHS[case.kind][-1]
    places = {name: place for name, place in case.places(state_of(model)).items() if place in own}
    head = {name: shape for name, (shape, _) in own.items() if name not in places.values()}
    direct = any(np.prod(shape) == classes * features for shape in head.values())
    rule = "the new head leads from the features to the classes"
    require(direct, rule, expected=(classes, features), got=list(head.values()), case=where)
    lost = [name for name, place in places.items() if name.split(".")[0] not in place]
    lost += ["fc"] if not all("fc" in name for name in head) else []
    require(not lost, "parameters' names contain the layers'", expected=lost[:4], got=list(own)[-4:], case=where)


@check(
    title="The classifier answers with raw logits",
    hint="No softmax, sigmoid or ReLU at the end: cross_entropy takes logits, and applies its own log-softmax.",
)
def test_raw_logits(student, rng):
    for kind in KINDS:
        case = Case(student, rng, kind)
        old = case.answers(case.backbone.eval(), 50 * case.images)
        model = student.tools.without_zeros(case.classifier(40), int(rng.integers(2**31)))
        model.eval()  # random logits of 40 classes all have one sign once in 2^39 runs
        logits = case.answers(model, 50 * case.images)
        kept = logits.shape == old.shape and np.allclose(logits, old)
        require(not kept, "the answers are the new head's", got="the backbone's own", case=kind)
        low, high = float(logits.min()), float(logits.max())
        require(low < 0 < high, "logits have both signs", got=f"from {low:.3g} to {high:.3g}", case=kind)
        require(max(-low, high) > 1.001, "logits are not kept within -1 … 1", got=(low, high), case=kind)


@check(
    title="With freeze, training changes the head and no weight of the backbone",
    hint="requires_grad_(False) on every parameter of the backbone, BatchNorm's weights and biases too, and before the new "
    "head is made, which is trainable.",
)
def test_frozen_weights(student, rng):
    for kind in KINDS:
        case = Case(student, rng, kind)
        moved = case.trained(case.classifier())
        weights = {name: gone for name, gone in moved.items() if not name.endswith(STATISTICS)}
        case.require_moved(weights, ("fc",))


@check(
    title="Frozen BatchNorm stays in eval mode, model.train() or not",
    hint="It moves its statistics at every forward pass in training mode, frozen or not: override train() and call "
    "it once. super's train wakes all of them, those in the blocks too: eval mode comes after it. return self at the "
    "end.",
)
def test_frozen_batchnorm(student, rng):
    for kind in KINDS:
        case = Case(student, rng, kind)
        model = student.tools.without_zeros(case.classifier(), int(rng.integers(2**31)))
        others = case.images.copy()
        others[1:] = rng.normal(2, 3, others[1:].shape)  # the first image in other company
        for step in ("as it was returned", "after train()", "after eval() and train()"):
            if step != "as it was returned":
                model.eval()
                model.train()
            first, second = case.answers(model)[0], case.answers(model, others)[0]
            where = f"{kind}, {step}"
            # float32 sums in another order may differ in the last digits; statistics of the batch differ in the first
            assert_same(second, first, "an image's answer beside other images", rtol=1e-3, atol=1e-3, case=where)
            state = {_key(value) for value in state_of(model).values()}
            gone = [n for n, v in case.features.items() if n.endswith(STATISTICS) and _key(v) not in state]
            require(not gone, "frozen statistics do not move", got=f"moved: {gone[:4]}", case=where)
        require(
            student.tools.train_returns(model),
            "train() returns the model, in both modes",
            got="something else",
            case=kind,
        )


@check(
    title="Without freeze the whole network learns, and comes in training mode",
    hint="freeze=False leaves every parameter trainable and BatchNorm awake.",
)
def test_not_frozen(student, rng):
    for kind in KINDS:
        case = Case(student, rng, kind)
        case.backbone.eval()
        model = case.classifier(freeze=False)
        case.answers(model)
        known = {_key(value) for value in state_of(model).values()}
        asleep = [n for n, value in case.features.items() if n.endswith(STATISTICS) and _key(value) in known]
        require(not asleep, "the model is returned in training mode", got=f"did not move: {asleep[:4]}", case=kind)
        case = Case(student, rng, kind)
        case.require_moved(case.trained(case.classifier(freeze=False)), LAYERS)


@check(
    title="unfreeze thaws the network from a layer to its end, and nothing before it",
    hint="Layers in the order of LAYERS, as far as the network has them, the named one included, with BatchNorm; "
    "what lies before stays as it was. Another name: ValueError that names those it has.",
)
def test_unfreeze_layers(student, rng):
    for kind in KINDS:
        names = [name for name in LAYERS if kind == "SmallResNet" or name != "layer4"]
        others = [["conv1"], ["layer3", "layer2"]] if kind == "SmallResNet" else [["fc"], ["layer2", "fc"]]
        for calls in [[str(rng.choice(names[1:-2]))], *others]:
            case = Case(student, rng, kind)
            model = case.classifier()
            for name in calls:
                student.model.unfreeze(model, name)
            start = min(map(names.index, calls))  # a layer that has thawed stays so
            case.require_moved(case.trained(model), tuple(names[start:]), f"unfreeze {' and '.join(calls)}")
        for name in ("layer9", *(name for name in LAYERS if name not in names)):
            model = Case(student, rng, kind).classifier()
            with student.raises(ValueError) as caught:
                student.model.unfreeze(model, name)
            for own in names:
                require(own in caught[0].text, "the message names the layers", expected=own, got=caught[0].text)


def groups_of(student, model, *rates: float) -> list[tuple[float, list[tuple]]]:
    """Each group's rate, and its parameters by their values."""
    groups = student.model.param_groups(model, *rates)
    require(isinstance(groups, list | tuple) and bool(groups), "param_groups gives a list of groups", got=groups)
    found = []
    for group in groups:
        complete = isinstance(group, dict) and {"params", "lr"} <= set(group)
        require(complete, "a group is a dictionary with params and lr", got=group)
        parameters = [group["params"]] if isinstance(group["params"], torch.Tensor) else list(group["params"])
        found.append((as_float(group["lr"], "a group's lr"), [_key(p.detach()) for p in parameters]))
    return found


def parameters_of(model) -> dict[str, tuple]:
    """A model's parameters by their values."""
    return {name: _key(parameter.detach()) for name, parameter in model.named_parameters()}


@check(
    title="The head learns at lr, the backbone at lr times the factor",
    hint="Two groups, each with its own lr; the factor is 0.1 unless another one is given.",
)
def test_groups_rates(student, rng):
    for kind in KINDS:
        case = Case(student, rng, kind)
        model = case.classifier(freeze=False)
        backbone = set(case.places(state_of(model)).values())
        lr, factor = float(rng.uniform(0.01, 0.2)), float(rng.uniform(0.3, 0.8))
        for rates, slower in (((lr,), 0.1), ((lr, factor), factor)):
            found = {key: rate for rate, keys in groups_of(student, model, *rates) for key in keys}
            for name, key in parameters_of(model).items():
                wanted = lr * slower if name in backbone else lr
                part = "the backbone" if name in backbone else "the head"
                where = f"{kind}, {name}, param_groups(model, {', '.join(f'{rate:.3g}' for rate in rates)})"
                assert_close(found.get(key, np.nan), wanted, f"the rate of {part}", atol=0, case=where)


@check(
    title="Every trainable parameter is in exactly one group, a frozen one in none, and no group is empty",
    hint="Take what requires_grad, and keep head and backbone apart; leave a group out if nothing is in it.",
)
def test_groups_once(student, rng):
    for kind in KINDS:
        for frozen in (LAYERS[: rng.integers(1, 5)], LAYERS[:-1]):
            case = Case(student, rng, kind)
            model = case.classifier(freeze=False)
            places = case.places(state_of(model))
            student.make(recipe("hold", model, [own for name, own in places.items() if name.split(".")[0] in frozen]))
            groups = groups_of(student, model, 0.1)
            found = Counter(key for _, keys in groups for key in keys)
            where = f"{kind}, frozen: {', '.join(frozen) or 'nothing'}"
            sizes = [len(keys) for _, keys in groups]
            require(min(sizes) > 0, "no group is empty", got=f"groups of {sizes}", case=where)
            own = parameters_of(model)
            held = {own[place] for name, place in places.items() if name.split(".")[0] in frozen and place in own}
            wanted = Counter(key for key in own.values() if key not in held)
            for rule, keys in (
                ("a frozen parameter is in no group", [key for key in found if key in held]),
                ("no parameter comes twice", [key for key in found if found[key] > max(1, wanted[key])]),
                ("every trainable parameter is in a group", [key for key in wanted if found[key] < wanted[key]]),
            ):
                names = [name for name, key in own.items() if key in keys]
                require(not names, rule, got=names[:4], case=where)
