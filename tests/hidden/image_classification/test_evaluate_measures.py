"""Task 4, measures of given answers: by counting, one answer at a time."""

import numpy as np

from grader.suite import StudentError, as_float, assert_close, check, require, tensor


def counted(y_true: np.ndarray, y_pred: np.ndarray, num_classes: int) -> np.ndarray:
    """A confusion matrix, one pair at a time."""
    matrix = np.zeros((num_classes, num_classes), "int64")
    for row, column in zip(y_true, y_pred, strict=True):
        matrix[row, column] += 1
    return matrix


@check(
    task="evaluate",
    title="accuracy is the part of the predictions that is right",
    hint="The mean of y_true == y_pred, over all at once and not by batches: between 0 and 1, no number of images, "
    "no per cent. float() makes a float of a tensor or of an array without dimensions.",
)
def test_accuracy_value(student, rng):
    for n in (37, 8):
        y_true = rng.integers(0, 4, n)
        y_pred = np.where(np.arange(n) % 4, y_true, y_true + 1)  # wrong at 0, 4, 8 …
        got, case = student.evaluate.accuracy(y_true.tolist(), y_pred.tolist()), f"{n} predictions"
        # Python's or NumPy's, neither an array nor a tensor
        require(isinstance(got, float | np.floating), "accuracy is a float", got=type(got).__name__, case=case)
        assert_close(got, (n - len(range(0, n, 4))) / n, "accuracy", case=case)


@check(
    task="evaluate",
    title="accuracy takes lists, arrays and tensors, also of different kinds",
    hint="as_labels makes an int64 array of each; two lists compared with == are one True or False, and `is` asks "
    "for the same object.",
)
def test_accuracy_types(student, rng):
    y_true = rng.integers(0, 3, 12)
    y_pred = np.where(np.arange(12) < 5, y_true, (y_true + 1) % 3)
    cases = {
        "lists": (y_true.tolist(), y_pred.tolist()),
        "arrays": (y_true, y_pred.astype("int32")),
        "tensors": (tensor(y_true), tensor(y_pred)),
        "a list and a tensor": (y_true.tolist(), tensor(y_pred)),
        "an array and a tensor": (y_true.astype("uint8"), tensor(y_pred)),
    }
    for name, (true, predicted) in cases.items():
        assert_close(
            as_float(student.evaluate.accuracy(true, predicted), "accuracy", case=name), 5 / 12, "accuracy", case=name
        )


@check(
    task="evaluate",
    title="accuracy refuses lengths that differ, and nothing at all",
    hint="raise ValueError: one label against many would be compared with each, and a mean of nothing is NaN.",
)
def test_accuracy_refuses(student, rng):
    labels = rng.integers(0, 4, 6).tolist()
    for good in (labels, labels[:1]):
        share = as_float(student.evaluate.accuracy(good, good), "accuracy")
        require(share > 0, "equally many are not refused", got=share, case=f"{len(good)} right predictions")
    for y_true, y_pred in ((labels, labels[:5]), (labels, labels[:1]), (labels[:1], labels), ([], [])):
        with student.raises(ValueError):
            student.evaluate.accuracy(y_true, y_pred)


@check(
    task="evaluate",
    title="confusion_matrix counts pairs: a row for the true class, a column for the predicted one",
    hint="np.add.at, bincount or a loop: matrix[rows, columns] += 1 counts a pair once only. Counts stay counts, "
    "int64: neither divided nor made symmetric.",
)
def test_confusion_values(student, rng):
    for case, kind in (("arrays", np.asarray), ("tensors", tensor)):
        y_true = rng.permutation(np.arange(60) % 4)
        y_pred = np.where(rng.random(60) < 0.5, y_true, rng.integers(0, 4, 60))
        y_true[:5], y_pred[:5] = 0, 1  # taken for 1 five times more often than the other way round …
        y_pred[(y_true == 1) & (y_pred == 0)] = 1  # … so that rows and columns can be told apart
        got = student.evaluate.confusion_matrix(kind(y_true), kind(y_pred), 4)
        assert_close(got, counted(y_true, y_pred, 4), "the matrix (true, predicted)", case=case)
        require_dtype(got, "int64", "the matrix", case)


def require_dtype(found: object, dtype: str, what: str, case: str = "") -> None:
    """An array's, or a tensor's, numbers are of this type."""
    got = str(getattr(found, "dtype", type(found).__name__)).removeprefix("torch.")
    require(got == dtype, f"{what} is {dtype}", expected=dtype, got=got, case=case)


@check(
    task="evaluate",
    title="num_classes says which classes there are, whatever occurs",
    hint="Zeros for a class that does not occur; ValueError for -1 or num_classes, and for lengths that differ.",
)
def test_confusion_absent_class(student, rng):
    present = np.sort(rng.permutation(5)[:3])  # the last of six, and two others, never occur
    y_true, y_pred = rng.choice(present, (2, 20))
    got = student.evaluate.confusion_matrix(y_true, y_pred, 6)
    assert_close(got, counted(y_true, y_pred, 6), "the matrix", case=f"of six classes only {present.tolist()} occur")
    refused = [(y_true, y_pred[:1]), (y_true[:7], y_pred)]
    for outside in (-1, 6):
        wrong = y_true.copy()
        wrong[rng.integers(20)] = outside
        refused += [(wrong, y_pred), (y_pred, wrong)]
    for pair in refused:
        with student.raises(ValueError):
            student.evaluate.confusion_matrix(*pair, 6)


def per_class(student, matrix: np.ndarray) -> object:
    """The student's answer; who makes matrices as tensors may take them as tensors."""
    try:
        return student.evaluate.per_class_accuracy(matrix)
    except StudentError as error:
        if not {"TypeError", "AttributeError"} & set(error.types):
            raise
    return student.evaluate.per_class_accuracy(tensor(matrix))


@check(
    task="evaluate",
    title="per_class_accuracy divides the diagonal by the number of true images",
    hint="A row is a true class: sum along axis 1, and add nothing to the sum. Quotients are float64, not rounded.",
)
def test_per_class_value(student, rng):
    matrix = rng.integers(1, 9, (4, 4))
    matrix[0] += 20  # rows and columns have different sums
    got = per_class(student, matrix)
    assert_close(got, [matrix[i, i] / matrix[i].sum() for i in range(4)], "the accuracy of each class", rtol=1e-5)
    require_dtype(got, "float64", "the accuracy of each class")


@check(
    task="evaluate",
    title="A class without images has NaN for its accuracy",
    hint="0/0 is unknown, neither 0 nor an error; a class that was only predicted has no images either.",
)
def test_per_class_absent_class(student, rng):
    matrix = rng.integers(1, 9, (5, 5))
    never, only_predicted = rng.permutation(5)[:2]
    matrix[[never, only_predicted]] = 0
    matrix[:, never] = 0
    rows = matrix.sum(axis=1)
    expected = [matrix[i, i] / rows[i] if rows[i] else np.nan for i in range(5)]
    assert_close(per_class(student, matrix), expected, "the accuracy of each class", rtol=1e-5)
