"""The border: whatever a handler hands over is taken over as plain values, or told as a failure."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any

import pytest

from forge_jobs import Cancelled, Dead, Done, Failed, Outcome, Snoozed, Throttled
from forge_jobs.causes import causes
from forge_jobs.durations import LONGEST
from forge_jobs.handlers.border import failed, is_tellable, own, plain
from tests.conftest import NOON


class Hostile(Exception):
    """Everything that is asked of it raises."""

    def __str__(self) -> str:
        raise LookupError

    __repr__ = __str__

    def __getattr__(self, name: str) -> Any:
        raise KeyError(name)

    def with_traceback(self, tb: Any) -> Any:
        raise LookupError


class Text(str):
    """A text with a will of its own."""

    def __str__(self) -> str:
        return self

    def replace(self, *args: Any) -> str:
        raise LookupError

    encode = replace  # type: ignore[assignment] # as hostile as can be


class Silent:
    def __str__(self) -> str:
        raise SystemExit


class Nobody(Exception):
    """Does not even say what it is, nor whether it is anything."""

    @property  # type: ignore[misc] # as hostile as can be
    def __class__(self) -> Any:
        raise LookupError

    def __bool__(self) -> bool:
        raise LookupError


class Pretender:
    """Says that it is a text, and is none."""

    @property  # type: ignore[misc] # as hostile as can be
    def __class__(self) -> Any:
        return str

    def __str__(self) -> str:
        raise LookupError


class Fickle(tzinfo):
    """A zone that answers once."""

    def __init__(self) -> None:
        self.asked = 0

    def utcoffset(self, dt: datetime | None) -> timedelta:
        self.asked += 1
        if self.asked > 2:
            raise LookupError
        return timedelta(hours=1)

    def dst(self, dt: datetime | None) -> None:
        raise LookupError

    tzname = dst


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:
        return caught


def odd_syntax_error() -> SyntaxError:
    """Not even the standard library can tell it."""
    position: Any = ("f", 1, 2, 3)
    return SyntaxError("m", position)


def in_a_circle() -> BaseException:
    first, second = ValueError("first"), ValueError("second")
    try:
        try:
            raise second from first
        except ValueError:
            raise first from second
    except ValueError as caught:
        return caught


def deep(levels: int) -> BaseException:
    error: Exception = ValueError("inmost")
    for _ in range(levels):
        error = ExceptionGroup("more", [error])
    return error


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ValueError("no such page"), "ValueError: no such page"),
        (Hostile, "Hostile: <"),
        (Nobody, "Nobody"),
        (odd_syntax_error, "SyntaxError"),
        (lambda: ValueError(Silent()), "ValueError"),
        (in_a_circle, "ValueError: first"),
        (lambda: deep(5_000), "ExceptionGroup"),
        (lambda: KeyError(Hostile()), "KeyError"),
        (lambda: OSError(Text("x"), Text("y")), "OSError"),
    ],
)
def test_an_exception_of_any_kind_is_a_failure_with_frames(
    make: Callable[[], BaseException], message: str
) -> None:
    failure = failed(raised(make()), saying="It broke")

    assert type(failure.message) is type(failure.traceback) is str
    assert failure.message.startswith("It broke: ")
    assert message in failure.message
    assert "test_border.py" in failure.traceback


@pytest.mark.parametrize("cause", [Hostile(), odd_syntax_error()], ids=type)
def test_a_cause_that_can_not_be_told_hides_nothing_of_the_rest(cause: Exception) -> None:
    def broken() -> None:
        raise ValueError("what went wrong") from cause

    with pytest.raises(ValueError, match="what went wrong") as caught:
        broken()
    failure = failed(caught.value)

    assert failure.message == "ValueError: what went wrong"
    assert "in broken" in failure.traceback


def test_who_can_be_given_to_a_logger_is_known_before() -> None:
    assert is_tellable(raised(ValueError("no such page")))
    assert not is_tellable(raised(odd_syntax_error()))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("as it is", "as it is"),
        (Text("of its own"), "of its own"),
        (12, "12"),
        (None, "None"),
        (Silent(), "<Silent, which can't be told>"),
        (Hostile(), "<Hostile, which can't be told>"),
        (Pretender(), "<Pretender, which can't be told>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_any_text_comes_in_as_a_plain_one(text: object, told: str) -> None:
    assert plain(text) == told
    assert type(plain(text)) is str


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [(Failed(Text("no")), Failed), (Dead(Text("no")), Dead), (Cancelled(Text("no")), Cancelled)],
)
def test_the_texts_of_outcomes_come_in_as_plain_ones(outcome: Outcome, kind: type) -> None:
    taken = own(outcome)

    assert type(taken) is kind
    assert {type(value) for value in vars(taken).values()} == {str}


def test_a_subclass_of_an_outcome_comes_in_as_that_outcome() -> None:
    class Patience(Throttled):
        def __init__(self) -> None:
            super().__init__(5, scope="job")

        @property
        def surprise(self) -> None:
            raise LookupError

    taken = own(Patience())

    assert type(taken) is Throttled
    assert (taken.retry_after, taken.scope) == (timedelta(seconds=5), "job")


class Unfinished(Throttled):
    def __init__(self) -> None:
        pass


class Unknown(Outcome):
    pass


@pytest.mark.parametrize("outcome", [Unfinished(), Unknown()], ids=type)
def test_an_outcome_that_says_nothing_is_a_failure(outcome: Outcome) -> None:
    taken = own(outcome)

    assert isinstance(taken, Failed)
    assert type(outcome).__name__ in taken.message


def test_a_raised_outcome_leaves_its_frames_behind() -> None:
    taken = own(raised(Done({"pages": 2})))  # type: ignore[arg-type] # an exception is raised

    assert isinstance(taken, Done)
    assert (taken.result, taken.__traceback__) == ({"pages": 2}, None)


@pytest.mark.parametrize("seconds", [999_999_999_999, 1e300, timedelta.max], ids=str)
def test_a_pause_of_ages_is_cut_to_a_century(seconds: Any) -> None:
    assert Throttled(seconds).retry_after == LONGEST
    assert Snoozed(delay=seconds).due(now=NOON) == NOON + LONGEST


@pytest.mark.parametrize("hours", [-12, 0, 12])
def test_a_moment_at_the_end_of_time_is_brought_near(hours: int) -> None:
    zone = timezone(timedelta(hours=hours))

    due = Snoozed(until=datetime.max.replace(tzinfo=zone)).due(now=NOON)

    assert (due, due.tzinfo) == (NOON + LONGEST, UTC)


def test_the_zone_of_a_snooze_is_not_asked_further_in() -> None:
    taken = own(Snoozed(until=datetime(2026, 5, 4, 13, tzinfo=Fickle())))

    assert isinstance(taken, Snoozed)
    assert taken.until == datetime(2026, 5, 4, 12, tzinfo=UTC)
    assert type(taken.until) is datetime


def test_what_led_to_an_error_is_found_without_asking_it() -> None:
    cause, outer = Nobody(), ValueError("outer")
    outer.__cause__ = cause

    assert [id(error) for error in causes(outer)] == [id(outer), id(cause)]


def test_causes_end_though_they_lead_to_each_other() -> None:
    assert [str(error) for error in causes(in_a_circle())] == ["first", "second"]
