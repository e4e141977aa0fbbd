"""Reads cron expressions; one that can't be read is refused with its field and the reason."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache
from typing import Final

from forge_jobs.cron.walltimes import BEGINNING, NeverDue, WallTimes

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
TAKES: Final = {
    "second": "0 to 59",
    "minute": "0 to 59",
    "hour": "0 to 23",
    "day of month": "1 to 31, L for the last day, 15W for the weekday nearest to the 15th",
    "month": "1 to 12, or jan to dec",
    "day of week": "0 to 7 from Sunday to Sunday, or sun to sat, 5#2 for the second Friday, "
    "L5 for the last Friday",
}
SPANS: Final = dict(zip(TAKES, (60, 60, 24, 31, 12, 7), strict=True))
NAMES: Final = {5: list(TAKES)[1:], 6: list(TAKES)}
UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
EVERY: Final = re.compile(r"@every\s+((?:\d+[dhms])+)", re.ASCII | re.IGNORECASE)
SHORTEST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(days=3_650)
LONGEST_EXPRESSION: Final = 200


class BadExpression(ValueError):
    """An expression that can't be read: in which `field` of it, and for what `reason`."""

    def __init__(self, reason: str, *, field: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@lru_cache(maxsize=4_096)
def fields_of(expression: str) -> tuple[str, ...]:
    """The five or six fields of an expression that can be read and is due now and then."""
    fields = _split(expression)
    _refuse_bad_fields(fields)
    _refuse_if_never_due(fields)
    return tuple(fields)


def every_of(expression: str) -> timedelta | None:
    """The interval of an `@every 1h30m`; None for other expressions."""
    if not isinstance(expression, str):
        raise BadExpression(f"it must be a text, not {expression!r}", field="expression")
    if not expression.strip().lower().startswith("@every"):
        return None
    found = EVERY.fullmatch(expression.strip())
    if not found:
        raise BadExpression(
            f"{expression.strip()!r} can't be read; write @every 30s, @every 15m or @every 1h30m",
            field="interval",
        )
    try:
        parts = re.findall(r"(\d+)([dhms])", found[1].lower())
        every = sum((timedelta(**{UNITS[unit]: int(n)}) for n, unit in parts), timedelta(0))
    except (OverflowError, ValueError):
        every = timedelta.max
    _refuse_bad_interval(every)
    return every


def written(every: timedelta) -> str:
    """The expression of an interval: `@every 1h30m`."""
    if not isinstance(every, timedelta):
        raise BadExpression(f"it must be a timedelta, not {every!r}", field="interval")
    _refuse_bad_interval(every)
    minutes, seconds = divmod(int(every.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = {"d": days, "h": hours, "m": minutes, "s": seconds}
    return "@every " + "".join(f"{number}{unit}" for unit, number in parts.items() if number)


def _refuse_bad_interval(every: timedelta) -> None:
    if not SHORTEST <= every <= LONGEST or every.microseconds:
        raise BadExpression(
            f"it must be whole seconds, from 1 second to {LONGEST.days:,} days", field="interval"
        )


def _split(expression: str) -> list[str]:
    if not expression.strip():
        raise BadExpression("it is empty", field="expression")
    if len(expression) > LONGEST_EXPRESSION:
        raise BadExpression(f"it has more than {LONGEST_EXPRESSION} characters", field="expression")
    fields = ALIASES.get(expression.strip().lower(), expression).split()
    if fields[0].startswith("@"):
        known = ", ".join([*ALIASES, "@every 1h30m"])
        raise BadExpression(f"{fields[0]} is none of {known}", field="expression")
    if len(fields) not in NAMES:
        raise BadExpression(
            f"it has {len(fields)} fields; it takes 5, or 6 with seconds first", field="expression"
        )
    return fields


def _refuse_bad_fields(fields: list[str]) -> None:
    """Each by itself, so that the error can name it."""
    names = NAMES[len(fields)]
    for place, (name, field) in enumerate(zip(names, fields, strict=True)):
        if re.search(r"(?:^|,)[hr](?![a-z])", field, re.IGNORECASE):
            raise BadExpression(f"{field!r} is random; write what is meant", field=name)
        if found := re.search(r"(?:^|,)(\w+)-\1(?=$|[,/])", field, re.IGNORECASE):
            # croniter takes it for the whole cycle
            raise BadExpression(f"{field!r} has no span; write {found[1]}", field=name)
        if any(int(step) > SPANS[name] for step in re.findall(r"/([0-9]{1,9})", field)):
            raise BadExpression(
                f"{field!r} steps out of its range; an interval is written as @every 90m",
                field=name,
            )
        alone = ["*"] * len(fields)
        alone[place] = field
        try:
            WallTimes(alone)
        except (ValueError, KeyError, IndexError):
            raise BadExpression(f"{field!r} can't be; it takes {TAKES[name]}", field=name) from None


def _refuse_if_never_due(fields: list[str]) -> None:
    try:
        WallTimes(fields).after(BEGINNING)
    except NeverDue:
        raise BadExpression("it never comes to pass", field="expression") from None
    except ValueError as error:
        raise BadExpression(str(error), field="expression") from None
