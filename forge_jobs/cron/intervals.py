"""Reads and writes the expressions of intervals: `@every 1h30m`."""

import re
from datetime import timedelta
from typing import Final

from forge_jobs.cron.fields import BadExpression

UNITS: Final = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
EVERY: Final = re.compile(r"@every\s+((?:\d+[dhms])+)", re.ASCII | re.IGNORECASE)
SHORTEST: Final = timedelta(seconds=1)
LONGEST: Final = timedelta(days=3_650)


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
