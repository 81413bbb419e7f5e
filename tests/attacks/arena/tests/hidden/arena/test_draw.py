"""Hidden checks of figures and files."""

from grader.suite import as_figure, assert_close, check, folder, require_equal


@check(title="the line shows the values", hint="plot and set_title")
def test_plot(student, rng):
    values = rng.normal(size=int(rng.integers(4, 12)))
    axes = as_figure(student.draw.plot(values), "what plot gives").axes[0]
    require_equal(axes.title, f"Values ({len(values)})", "the title")
    assert_close(axes.lines[0].values[:, 1], values, "the line")


@check(title="the numbers of the file are added", hint="one a line")
def test_read(student, rng):
    numbers = [float(value) for value in rng.normal(size=5)]
    got = student.draw.read(folder({"numbers.txt": "\n".join(map(str, numbers))}))
    assert_close(got, sum(numbers), "the sum")
