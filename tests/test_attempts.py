"""The policy alone, against a second hand that counts in whole seconds and fractions."""

from datetime import UTC, datetime, timedelta, timezone
from fractions import Fraction
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from grader.attempts import Deadline, Policy, Rate, counting, dated, faults, limited, moment, seconds_late, stamp
from grader.results import Attempt, Standing, SubmissionStatus

BERLIN = ZoneInfo("Europe/Berlin")
DUE = datetime(2026, 5, 1, 21, 59, tzinfo=UTC)
HOUR, DAY = 3600, 24 * 3600
GRADED, ERROR = SubmissionStatus.GRADED, SubmissionStatus.GRADER_ERROR


def attempt(name: str, seconds: int | None, points: float | None, fault: str = "") -> Attempt:
    """One handed in so many seconds after the due date."""
    time = None if seconds is None else DUE + timedelta(seconds=seconds)
    return Attempt(name, time, ERROR if points is None else GRADED, points, fault)


def policy(counts: str = "last", late: str = "none", grace: float = 0, **extensions: timedelta) -> Policy:
    deadline = Deadline(due=DUE, counts=counts, late=late, grace_minutes=grace)
    rate = deadline.rate
    return Policy(deadline, extensions, lambda student, points, late: rate.of(points, late))


class Oracle:
    """Seconds, hundredths of points and fractions alone; times are whole seconds from the due date."""

    def __init__(self, amount: int, percent: bool, period: int, grace: int, extension: int) -> None:
        self.amount, self.percent, self.period, self.grace, self.extension = amount, percent, period, grace, extension

    def late(self, seconds: int) -> int:
        return seconds - self.extension if seconds > self.extension else 0

    def net(self, seconds: int, points: int) -> Fraction:
        late, left = self.late(seconds), Fraction(points)
        each = Fraction(points * self.amount, 100) if self.percent else Fraction(self.amount)
        if late > self.grace:
            while late > 0:
                left, late = left - each, late - self.period
        return max(left, Fraction(0))

    def beats(self, one: tuple, other: tuple, counts: str) -> bool:
        (name, seconds, points), (other_name, other_seconds, other_points) = one, other
        earlier = (seconds, name) < (other_seconds, other_name)
        if counts == "best":
            mine, theirs = self.net(seconds, points), self.net(other_seconds, other_points)
            return mine > theirs or (mine == theirs and earlier)
        return earlier if counts == "first" else not earlier


handed_in = st.lists(
    st.tuples(st.text("ab1", min_size=1, max_size=3), st.integers(-5 * DAY, 9 * DAY), st.integers(0, 110)),
    min_size=1,
    max_size=6,
    unique_by=lambda one: one[0],
)
near = st.sampled_from([0, 1, HOUR - 1, HOUR, HOUR + 1, DAY - 1, DAY, DAY + 1, 2 * DAY])


@given(
    handed_in=handed_in
    | st.lists(
        st.tuples(st.sampled_from("abc"), near, st.integers(0, 110)),
        min_size=1,
        max_size=3,
        unique_by=lambda one: one[0],
    ),
    counts=st.sampled_from(["last", "best", "first"]),
    amount=st.integers(0, 120),
    unit=st.sampled_from(["points", "percent"]),
    period=st.sampled_from([HOUR, DAY]),
    grace=st.integers(0, 90),
    extension=st.integers(0, 4 * DAY) | near,
    order=st.randoms(use_true_random=False),
)
def test_lateness_penalty_and_the_one_that_counts(handed_in, counts, amount, unit, period, grace, extension, order):
    oracle = Oracle(amount, unit == "percent", period, grace * 60, extension)
    shuffled = order.sample(handed_in, len(handed_in))
    rule = policy(
        counts, f"{amount} {unit} per {'hour' if period == HOUR else 'day'}", grace, ada=timedelta(seconds=extension)
    )
    standing = rule.standing("ada", [attempt(*one) for one in shuffled])

    assert [one.name for one in standing.attempts] == [
        name for name, *_ in sorted(handed_in, key=lambda one: (one[1], one[0]))
    ]
    told = {one.name: one for one in standing.attempts}
    for name, seconds, points in handed_in:
        assert told[name].seconds_late == oracle.late(seconds)
        assert told[name].net == pytest.approx(float(oracle.net(seconds, points)), abs=1e-6)
        assert 0 <= told[name].penalty <= points
    (best,) = [one for one in handed_in if all(oracle.beats(one, other, counts) for other in handed_in if other != one)]
    assert standing.attempt.name == best[0]
    assert standing == rule.standing("ada", [attempt(*one) for one in handed_in]), (
        "the order of a folder decides nothing"
    )
    assert msgspec.json.decode(msgspec.json.encode(standing), type=Standing) == standing


@given(
    wall=st.datetimes(datetime(2026, 3, 28), datetime(2026, 3, 30))
    | st.datetimes(datetime(2026, 10, 24), datetime(2026, 10, 26)),
    fold=st.sampled_from([0, 1]),
    hours=st.integers(-14, 14),
)
@example(wall=datetime(2026, 10, 25, 2, 30), fold=1, hours=0)
def test_lateness_is_elapsed_time_whatever_clocks_do(wall, fold, hours):
    """Due and handed in by clocks of one zone, which are set back and forth between them, or by another zone's."""
    due, time = datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN), wall.replace(tzinfo=BERLIN, fold=fold)
    elsewhere = time.astimezone(timezone(timedelta(hours=hours)))
    elapsed = Fraction(time.timestamp()) - Fraction(due.timestamp())
    for told in (time, elsewhere):
        assert seconds_late(told, due) == pytest.approx(max(0, float(elapsed)), abs=1e-5)


def test_the_hour_that_comes_twice_is_an_hour():
    due = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)  # summer time; the same on the clock comes again
    assert seconds_late(due.replace(fold=1), due) == HOUR
    assert seconds_late(datetime(2026, 10, 26, 2, 30, tzinfo=BERLIN), due) == DAY + HOUR


class TestTimes:
    def test_on_time_to_the_microsecond_is_not_late(self):
        assert seconds_late(DUE, DUE) == 0
        assert seconds_late(DUE + timedelta(microseconds=1), DUE) == 1e-6
        assert seconds_late(DUE + timedelta(days=3), DUE, timedelta(days=3)) == 0
        assert seconds_late(DUE + timedelta(days=3, seconds=1), DUE, timedelta(days=3)) == 1

    def test_what_nobody_knows_is_not_late(self):
        assert seconds_late(None, DUE) == seconds_late(DUE, None) == 0

    @pytest.mark.parametrize(
        ("name", "told"),
        [
            ("ada@2026-04-30T18-02-11Z", ("ada", "2026-04-30T18-02-11Z", datetime(2026, 4, 30, 18, 2, 11, tzinfo=UTC))),
            (
                "a@b.org@2026-04-30T18-02-11+0200",
                ("a@b.org", "2026-04-30T18-02-11+0200", datetime(2026, 4, 30, 16, 2, 11, tzinfo=UTC)),
            ),
            ("ada", None),
            ("ada@example.org", None),
            ("ada@2026", None),
            ("@2026-04-30T18-02-11Z", None),
        ],
    )
    def test_names_of_entries(self, name, told):
        assert dated(name) == told

    @pytest.mark.parametrize(
        "time",
        [
            "2026-04-30T18-02-11",
            "2026-04-30",
            "2026-04-30T18:02:11Z",
            "2026-04-30T18-02Z",
            "2026-02-30T18-02-11Z",
            "2026-04-30T18-02-11+9900",
        ],
    )
    def test_a_name_with_half_a_time_is_refused(self, time):
        with pytest.raises(ValueError, match="expected"):
            dated(f"ada@{time}")

    @given(time=st.datetimes(datetime(1980, 1, 1), datetime(9990, 1, 1), timezones=st.just(UTC)))
    def test_a_stamp_is_read_back(self, time):
        assert dated(f"ada@{stamp(time)}") == ("ada", stamp(time), time.replace(microsecond=0))
        assert moment(time.isoformat()) == time

    @pytest.mark.parametrize("text", ["", "soon", "2026-04-30", "2026-04-30T18:02:11", "0001-01-01T00:00:00+14:00"])
    def test_a_time_without_a_zone_is_refused(self, text):
        with pytest.raises(ValueError, match="expected a time"):
            moment(text)


class TestPenalties:
    @pytest.mark.parametrize(
        ("late", "seconds", "off"),
        [
            ("none", DAY, 0),
            ("zero", 1, 110),
            ("5 points per day", 1, 5),
            ("5 points per day", DAY, 5),
            ("5 points per day", DAY + 1, 10),
            ("10 percent per day", DAY + 1, 22),
            ("10% per hour", 2 * HOUR + 1, 33),
            ("0.5 point per hour", HOUR, 0.5),
            ("60 points per day", 3 * DAY, 110),
        ],
    )
    def test_rates(self, late, seconds, off):
        assert Rate.read(late).of(110, seconds) == off

    def test_grace_is_no_extension(self):
        rate = Rate.read("5 points per hour", 900)
        assert [rate.of(100, seconds) for seconds in (1, 900, 901, HOUR, HOUR + 1)] == [0, 0, 5, 5, 10]

    @given(penalty=st.floats(-1e9, 1e9), points=st.floats(-10, 200))
    def test_never_below_zero_and_never_a_gift(self, penalty, points):
        assert 0 <= limited(penalty, points) <= max(points, 0) + 1e-9

    def test_the_best_is_the_best_after_the_penalty(self):
        rule = policy("best", "20 points per day")
        found = rule.standing("ada", [attempt("a", -5, 75), attempt("b", 5, 90)])
        assert (found.attempt.name, found.why) == ("a", "the best of 2 after penalties")
        assert [(one.penalty, one.net) for one in found.attempts] == [(0, 75), (20, 70)]

    def test_an_extension_is_the_students_own(self):
        rule = policy("last", "20 points per day", ada=timedelta(days=1))
        assert rule.standing("ada", [attempt("a", DAY, 90)]).attempt.penalty == 0
        assert rule.standing("ben", [attempt("a", DAY, 90)]).attempt.penalty == 20


class TestWhatCounts:
    def test_equal_times_go_by_name_and_equal_points_by_time(self):
        same = [attempt("b", 0, 50), attempt("a", 0, 50), attempt("c", -9, 50)]
        assert [policy(counts).standing("ada", same).attempt.name for counts in ("last", "first", "best")] == [
            "b",
            "c",
            "c",
        ]
        assert policy("best").standing("ada", same).why == "the best of 3, the earliest of 3 that are as good"

    def test_what_the_grader_failed_on_does_not_count_while_another_has_points(self):
        known = [attempt("a", 0, 50), attempt("b", 1, None, "lost")]
        for counts in ("last", "first", "best"):
            standing = policy(counts).standing("ada", known)
            assert standing.attempt.name == "a"
            assert standing.why == f"the {counts} of the 1 of 2 that have points"
            assert faults(standing) == ["attempt b could not be graded (lost): until it is, it does not count"]

    def test_where_nothing_has_points_there_is_an_answer(self):
        known = [attempt("a", 0, None, "lost"), attempt("b", 1, None, "lost")]
        assert [counting(known, counts) for counts in ("last", "first", "best")] == [1, 0, 0]

    def test_an_earlier_record_stands(self):
        standing = policy().standing("ada", [attempt("a", 0, 50), attempt("b", 1, 60, "lost")])
        assert standing.attempt.name == "b"
        assert faults(standing) == ["attempt b could not be graded (lost): until it is, its earlier record stands"]

    def test_a_plain_class_has_nothing_to_tell(self):
        assert Policy().standing("ada", [attempt("", None, 50)]) is None
        assert Policy().standing("ada", [attempt("", 5, 50)]).why == "the only attempt"
        assert policy("last", "zero").standing("ada", [attempt("", None, 50)]).attempt.net == 50


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"due": datetime(2026, 5, 1, 23, 59)}, "expected due with its zone, as in 2026-05-01T23:59:00.02:00"),
        ({"due": "2026-05-01T23:59:00"}, "expected due with its zone"),
        ({"counts": "lsat"}, "expected counts to be one of last, best, first, found 'lsat'"),
        ({"due": DUE, "late": "5 points a day"}, "found '5 points a day'"),
        ({"due": DUE, "late": "-5 points per day"}, "expected late"),
        ({"late": "5 points per day"}, "expected due"),
        ({"due": DUE, "grace_minutes": -1}, "grace_minutes of at least 0"),
        ({"due": DUE, "late": "rules:Mine", "grace_minutes": 1}, "sees to that itself"),
        ({"dew": DUE}, "unknown field `dew`"),
    ],
)
def test_a_deadline_that_cannot_be_is_refused(more, said):
    with pytest.raises(msgspec.ValidationError, match=said):
        msgspec.convert(more, Deadline)


@pytest.mark.parametrize(
    "late", ["none", "zero", "2.5 points per day", "10 percent per hour", "rules:Mine", "a.b.Mine"]
)
def test_what_late_may_say(late):
    assert Deadline(due=DUE, late=late).late == late


@pytest.mark.parametrize(
    ("late", "grace", "words"),
    [
        ("none", 0, "nothing"),
        ("zero", 0, "all points"),
        ("zero", 5, "all points; nothing within 5 min"),
        ("1 point per hour", 0, "1 point for each hour begun"),
        ("2.5 points per day", 0, "2.5 points for each day begun"),
        ("10% per day", 90, "10 percent of the points for each day begun; nothing within 1 h 30 min"),
        ("penalties:Fair", 0, "by the course's own rule"),
    ],
)
def test_what_being_late_costs_is_said_in_words(late, grace, words):
    assert Deadline(due=datetime(2026, 5, 1, tzinfo=UTC), late=late, grace_minutes=grace).cost == words
