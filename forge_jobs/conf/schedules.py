"""What code declares of schedules: `schedule()`, checked where it is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, Final, Self, TypeVar

from forge_jobs import jsontext
from forge_jobs.conf.bounds import MAX_ATTEMPTS, MAX_PRIORITY, MIN_PRIORITY
from forge_jobs.conf.policies import CatchUp, Overlap
from forge_jobs.cron.zones import UnknownZone, zone_named
from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import InvalidSchedule
from forge_jobs.wording import meant, quoted

E = TypeVar("E", bound=Enum)

LONGEST_NAME: Final = 200


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
    start, end = _moment(starts_at, "starts_at"), _moment(ends_at, "ends_at")
    if start and end and start > end:
        raise InvalidSchedule("ends_at must not be before starts_at.", field="ends_at")
    return DeclaredSchedule(
        expression=_expression(cron, every),
        name=_name(name),
        timezone=_zone(timezone),
        payload=_payload({} if payload is None else payload),
        queue=_queue(queue),
        priority=_number(priority, "priority", MIN_PRIORITY, MAX_PRIORITY),
        overlap=_choice(Overlap, overlap, "overlap"),
        catch_up=_choice(CatchUp, catch_up, "catch_up"),
        jitter_seconds=_seconds(jitter),
        max_attempts=_number(max_attempts, "max_attempts", 1, MAX_ATTEMPTS),
        starts_at=start,
        ends_at=end,
        is_enabled=_flag(enabled),
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


def _expression(cron: str | None, every: timedelta | None) -> str:
    from forge_jobs.cron.expression import BadExpression, Cron, written

    if (cron is None) == (every is None):
        raise InvalidSchedule("either cron or every must be given.", field="cron")
    for given, kind, name in ((cron, str, "cron"), (every, timedelta, "every")):
        if given is not None and not isinstance(given, kind):
            told = f"{name} must be a {kind.__name__}, not {quoted(given)}."
            raise InvalidSchedule(told, field=name)
    try:
        if every is not None:
            return written(every)
        return Cron(cron or "").expression
    except BadExpression as error:
        if every is not None:
            raise InvalidSchedule(f"every: {error.reason}.", field="every") from None
        raise InvalidSchedule(f"cron {quoted(cron)}: {error}.", field="cron") from None


def _name(given: str | None) -> str | None:
    if given is None:
        return None
    if isinstance(given, str) and 0 < len(given) <= LONGEST_NAME and jsontext.is_storable(given):
        return given
    raise InvalidSchedule(
        f"name must be a string of 1 to {LONGEST_NAME} characters, not {quoted(given)}.",
        field="name",
    )


def _zone(given: str | None) -> str:
    if given is None:
        return ""
    if isinstance(given, str):
        with suppress(UnknownZone):
            return zone_named(given).key
    raise InvalidSchedule(
        f"timezone must be an IANA name such as 'Europe/Berlin', not {quoted(given)}.",
        field="timezone",
    )


def _payload(given: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise InvalidSchedule(
            f"payload must be a dictionary, not {quoted(given)}.", field="payload"
        )
    try:
        payload: dict[str, Any] = json.loads(jsontext.dumps(dict(given), name="payload"))
    except jsontext.NotJSON as error:
        raise InvalidSchedule(str(error), field="payload") from None
    return payload


def _queue(given: str | None) -> str:
    if given is None or (isinstance(given, str) and given):
        return given or ""
    raise InvalidSchedule(f"queue must be a queue's name, not {quoted(given)}.", field="queue")


def _number(given: int | None, name: str, least: int, most: int) -> int | None:
    if given is None or (type(given) is int and least <= given <= most):
        return given
    raise InvalidSchedule(
        f"{name} must be a whole number from {least:,} to {most:,}, not {quoted(given)}.",
        field=name,
    )


def _choice(choices: type[E], given: object, name: str) -> E:
    values = [choice.value for choice in choices]
    if isinstance(given, str) and given in values:
        return choices(given)
    known = ", ".join(map(repr, values))
    raise InvalidSchedule(
        f"{name} must be one of {known}, not {quoted(given)}.{meant(given, values)}", field=name
    )


def _seconds(given: timedelta | float) -> float:
    try:
        return as_timedelta(given, field="jitter").total_seconds()
    except ValueError as error:
        raise InvalidSchedule(str(error), field="jitter") from None


def _moment(given: datetime | None, name: str) -> datetime | None:
    if given is None:
        return None
    if not isinstance(given, datetime) or given.utcoffset() is None:
        raise InvalidSchedule(f"{name} must be an aware datetime, not {quoted(given)}.", field=name)
    return given.astimezone(UTC)


def _flag(given: bool) -> bool:
    if not isinstance(given, bool):
        raise InvalidSchedule(
            f"enabled must be True or False, not {quoted(given)}.", field="enabled"
        )
    return given
