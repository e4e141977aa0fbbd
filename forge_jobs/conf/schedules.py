"""What code declares of schedules: `schedule()`, checked where it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Self

from forge_jobs.conf.bounds import MAX_ATTEMPTS, MAX_PRIORITY, MIN_PRIORITY
from forge_jobs.conf.policies import CatchUp, Overlap
from forge_jobs.conf.schedule_options import (
    choice,
    expression_of,
    flag,
    moment,
    number,
    payload_of,
    queue_name,
    schedule_name,
    seconds,
    zone_key,
)
from forge_jobs.exceptions import InvalidSchedule
from forge_jobs.wording import quoted


@dataclass(frozen=True, kw_only=True)
class DeclaredSchedule:
    """A schedule as code wants it; `name` and `kind` may be the handler's."""

    expression: str
    name: str | None = None
    kind: str = ""
    timezone: str = ""
    payload: Mapping[str, Any] = field(default_factory=dict)
    queue: str = ""
    priority: int | None = None
    overlap: Overlap = Overlap.SKIP
    catch_up: CatchUp = CatchUp.ONCE
    jitter_seconds: float = 0.0
    max_attempts: int | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_enabled: bool = True

    def of(self, kind: str) -> Self:
        """The same for a handler, which names what has no name of its own."""
        return replace(self, kind=kind, name=self.name or kind)

    def columns(self) -> dict[str, Any]:
        """As the columns of a `Schedule`."""
        return {
            "kind": self.kind,
            "expression": self.expression,
            "timezone": self.timezone,
            "payload": dict(self.payload),
            "queue": self.queue,
            "priority": self.priority,
            "overlap": self.overlap.value,
            "catch_up": self.catch_up.value,
            "jitter_seconds": self.jitter_seconds,
            "max_attempts": self.max_attempts,
            "starts_at": self.starts_at,
            "ends_at": self.ends_at,
            "is_enabled": self.is_enabled,
        }


def schedule(
    cron: str | None = None,
    *,
    every: timedelta | None = None,
    name: str | None = None,
    timezone: str | None = None,
    payload: Mapping[str, Any] | None = None,
    queue: str | None = None,
    priority: int | None = None,
    overlap: str = "skip",
    catch_up: str = "once",
    jitter: timedelta | float = 0,
    max_attempts: int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    enabled: bool = True,
) -> DeclaredSchedule:
    """When a handler's jobs are made by themselves: `cron`, an expression, or `every`, an interval.

    - `name`: unique among all schedules; a handler's only one is called by its kind;
    - `timezone`: an IANA name, such as `"Europe/Berlin"`; else the project's;
    - `payload`, `queue`, `priority`, `max_attempts`: as for `enqueue()`; else the handler's;
    - `overlap`: while the last job is unfinished, `"skip"`, `"queue"` one more, or `"replace"` it;
    - `catch_up`: of moments missed in an outage, `"skip"` all, fire `"once"`, or `"all"`;
    - `jitter`: each job runs up to so much later, a timedelta or seconds;
    - `starts_at`, `ends_at`: aware; nothing is due before or after;
    - `enabled`: whether it fires at all.

    Raises `InvalidSchedule`, which names the `field`.
    """
    start, end = moment(starts_at, "starts_at"), moment(ends_at, "ends_at")
    if start and end and start > end:
        raise InvalidSchedule("ends_at must not be before starts_at.", field="ends_at")
    return DeclaredSchedule(
        expression=expression_of(cron, every),
        name=schedule_name(name),
        timezone=zone_key(timezone),
        payload=payload_of({} if payload is None else payload),
        queue=queue_name(queue),
        priority=number(priority, "priority", MIN_PRIORITY, MAX_PRIORITY),
        overlap=choice(Overlap, overlap, "overlap"),
        catch_up=choice(CatchUp, catch_up, "catch_up"),
        jitter_seconds=seconds(jitter),
        max_attempts=number(max_attempts, "max_attempts", 1, MAX_ATTEMPTS),
        starts_at=start,
        ends_at=end,
        is_enabled=flag(enabled),
    )


def of_handler(
    kind: str,
    *,
    cron: str | None,
    every: timedelta | None,
    timezone: str | None,
    schedules: Sequence[DeclaredSchedule],
) -> list[DeclaredSchedule]:
    """All schedules of one handler; raises `InvalidSchedule`."""
    if not isinstance(schedules, Sequence) or not all(
        isinstance(one, DeclaredSchedule) for one in schedules
    ):
        raise InvalidSchedule(
            f"schedules of {kind} must be a list of what schedule(...) makes, unlike "
            f"{quoted(schedules)}.",
            field="schedules",
        )
    if cron is not None or every is not None:
        if schedules:
            raise InvalidSchedule(
                f"schedules of {kind} can't be given together with cron or every.",
                field="schedules",
            )
        return [schedule(cron, every=every, timezone=timezone).of(kind)]
    if timezone is not None:
        raise InvalidSchedule(
            f"timezone of {kind} needs cron or every beside it.", field="timezone"
        )
    if len(schedules) > 1 and not all(one.name for one in schedules):
        raise InvalidSchedule(
            f"name must be given to each of the schedules of {kind}.", field="name"
        )
    return [one.of(kind) for one in schedules]
