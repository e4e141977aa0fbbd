"""What handlers hand over, as plain values of our own: no code of theirs runs any further in.

An exception's `__str__`, a string's `replace()`, an outcome's attributes: all of it is code that
may raise, and the finalizer, the log and the database must not meet it.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, Final, TypeVar

from forge_jobs.causes import cause_of
from forge_jobs.durations import clamped
from forge_jobs.handlers.outcomes import (
    Cancelled,
    Dead,
    Done,
    Failed,
    Interrupted,
    Outcome,
    Released,
    Snoozed,
    Throttled,
)

T = TypeVar("T")

_frames: Final[Any] = BaseException.__dict__["__traceback__"].__get__


def failed(error: BaseException, *, saying: str = "") -> Failed:
    """An exception as an outcome, with all that is told of it; never raises, whatever it does."""
    message = _unless_it_raises(
        lambda: plain("".join(traceback.format_exception_only(error))).strip(),
        otherwise="",
    ) or _in_short(error)
    failure = Failed(
        f"{saying}: {message}" if saying else message,
        traceback=_traceback(error),
        exception=class_path(type(error)),
    )
    vars(failure)["error"] = error
    return failure


def is_tellable(error: BaseException) -> bool:
    """Whether a logger can be given the exception itself."""
    return _unless_it_raises(lambda: bool(traceback.format_exception(error)), otherwise=False)


def plain(text: object) -> str:
    """As a `str`, whatever it is; never raises."""
    if type(text) is str:  # not what it says of itself
        return text
    # str() may give a subclass's instance, from which only str.__str__ makes a plain one.
    return _unless_it_raises(
        lambda: str.__str__(str(text)), otherwise=f"<{_name(text)}, which can't be told>"
    )


def class_path(kind: type[BaseException]) -> str:
    """Where the class of an exception can be imported from, if it is a module's own."""
    return _unless_it_raises(
        lambda: f"{plain(kind.__module__)}.{plain(kind.__qualname__)}",
        otherwise="builtins.BaseException",
    )


def own(outcome: Outcome) -> Outcome:
    """The same outcome, free of subclasses and of the frames that it came through.

    An error that led to a `Failed` or `Dead` becomes its traceback. Never raises: an outcome
    that can't be taken over is a failure.
    """
    unreadable: Outcome = Failed(f"The handler's outcome, {_name(outcome)}, can't be read.")
    return _unless_it_raises(lambda: _taken_over(outcome), otherwise=unreadable)


def _taken_over(outcome: Outcome) -> Outcome:
    match outcome:
        case Done():
            return Done(outcome.result)
        case Failed():
            taken = Failed(plain(outcome.message), _told_or_caused(outcome), _exception(outcome))
            if (error := vars(outcome).get("error", cause_of(outcome))) is not None:
                vars(taken)["error"] = error
            return taken
        case Dead():
            return Dead(plain(outcome.message), _told_or_caused(outcome), _exception(outcome))
        case Throttled():
            pause = clamped(outcome.retry_after, field="retry_after")
            return Throttled(pause, scope="job" if outcome.scope == "job" else "queue")
        case Snoozed():
            if outcome.until is not None:
                return Snoozed(until=outcome.until)
            return Snoozed(delay=clamped(outcome.delay, field="delay"))
        case Cancelled():
            return Cancelled(plain(outcome.reason))
        case Interrupted():
            return Interrupted(plain(outcome.message), clamped(outcome.delay, field="delay"))
        case Released():
            return Released()
    return Failed(f"The handler returned an unknown outcome, {_name(outcome)}.")


def _told_or_caused(outcome: Failed | Dead) -> str:
    cause = cause_of(outcome)
    return plain(outcome.traceback) or ("" if cause is None else _traceback(cause))


def _exception(outcome: Failed | Dead) -> str:
    cause = cause_of(outcome)
    return plain(outcome.exception) or ("" if cause is None else class_path(type(cause)))


def _traceback(error: BaseException) -> str:
    """With what led to it; where that can't be told, its own frames at least."""
    return _unless_it_raises(
        lambda: plain("".join(traceback.format_exception(error))),
        otherwise="",
    ) or _unless_it_raises(
        lambda: "".join(traceback.format_tb(_frames(error))) + _in_short(error),
        otherwise=_in_short(error),
    )


def _in_short(error: BaseException) -> str:
    return f"{_name(error)}: {plain(error)}"


def _name(value: object) -> str:
    return _unless_it_raises(lambda: str.__str__(type(value).__qualname__), otherwise="an object")


def _unless_it_raises(say: Callable[[], T], *, otherwise: T) -> T:
    try:
        return say()
    except BaseException:  # SystemExit, too: it is not the worker that it was meant for
        return otherwise
