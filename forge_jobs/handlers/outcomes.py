"""What one run of a job can come to; a handler returns an outcome, or raises it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from forge_jobs.durations import clamped, in_utc, nearest
from forge_jobs.wording import quoted


class Outcome(Exception):
    """The base of all outcomes.

    Subclasses are dataclasses for the sake of `match`, but not frozen ones: Python assigns
    `__traceback__` to exceptions that travel through a context manager. Two that say the same are
    equal, so that a test can ask for one.
    """

    said: ClassVar[tuple[str, ...]] = ()

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.said)

    def __hash__(self) -> int:
        return hash(type(self))


@dataclass(eq=False)
class Done(Outcome):
    """The job succeeded; `result` is any JSON value and is kept on the job."""

    result: Any = None
    said: ClassVar[tuple[str, ...]] = ("result",)


@dataclass(eq=False)
class Failed(Outcome):
    """This attempt failed; the job is retried by its policy until its attempts are spent.

    `traceback` and `exception`, the path of its class, are filled in where an exception was the
    cause. `error`, the exception itself, is there until the run is settled.
    """

    message: str
    traceback: str = ""
    exception: str = ""
    error: ClassVar[BaseException | None] = None
    said: ClassVar[tuple[str, ...]] = ("message",)


@dataclass(eq=False)
class Dead(Outcome):
    """The job can't succeed, however often it is tried: it becomes a dead letter at once."""

    message: str
    traceback: str = ""
    exception: str = ""
    said: ClassVar[tuple[str, ...]] = ("message",)


class Throttled(Outcome):
    """The other side asks for patience: run again after `retry_after`, no attempt spent.

    `retry_after` is a `timedelta` or a number of seconds, as in the HTTP header. The whole queue
    cools down, for at least as long, longer each time in a row; with `scope="job"` only this job
    waits. What is longer than a hundred years is cut to that.
    """

    __match_args__ = ("retry_after",)
    said: ClassVar[tuple[str, ...]] = ("retry_after", "scope")

    def __init__(
        self, retry_after: timedelta | float, *, scope: Literal["queue", "job"] = "queue"
    ) -> None:
        if scope not in ("queue", "job"):
            raise ValueError(f'scope must be "queue" or "job", not {quoted(scope)}.')
        super().__init__(retry_after)
        self.retry_after = clamped(retry_after, field="retry_after")
        self.scope = scope


class Snoozed(Outcome):
    """Run again later, at `until` or after `delay` (give one); attempts start afresh.

    `delay` is a `timedelta` or a number of seconds. What is further away than a hundred years is
    brought back to that.
    """

    said: ClassVar[tuple[str, ...]] = ("until", "delay")

    def __init__(
        self, *, until: datetime | None = None, delay: timedelta | float | None = None
    ) -> None:
        super().__init__(until or delay)
        if (until is None) == (delay is None):
            raise ValueError("Snoozed takes either until or delay.")
        self.until = None if until is None else in_utc(until, field="until")
        self.delay = timedelta(0) if delay is None else clamped(delay, field="delay")

    def due(self, *, now: datetime) -> datetime:
        if self.until is None:
            return now + self.delay
        return nearest(self.until, field="until", now=now)


@dataclass(eq=False)
class Cancelled(Outcome):
    """The job stops because it was asked to; it is not retried."""

    reason: str = ""
    said: ClassVar[tuple[str, ...]] = ("reason",)


@dataclass(eq=False)
class Interrupted(Outcome):
    """The run failed by no fault of its own: again after `delay`, and no attempt is spent.

    The runtime's own, not for handlers.
    """

    message: str
    delay: timedelta
    said: ClassVar[tuple[str, ...]] = ("message", "delay")


@dataclass(eq=False)
class Released(Outcome):
    """The run is given back unfinished, with its attempt; the runtime's own, not for handlers."""


@dataclass(eq=False)
class Expired(Outcome):
    """The job has not begun in time, and never does; the runtime's own, not for handlers."""
