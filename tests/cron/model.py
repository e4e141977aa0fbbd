"""Cron by brute force: looks at every minute that passes, and shares no code with `cron.py`.

Expressions that follow elapsed time fire in each minute whose wall time matches. Others fire once
for each wall time that the wall has gone past for the first time: a mark remembers the highest.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
BOUNDS = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]


def fires(
    expression: str, zone: str, *, start: datetime, end: datetime, step: timedelta
) -> list[datetime]:
    """All due moments in (start, end]; the model looks every `step`."""
    matcher = Matcher(expression)
    found = []
    mark = start.astimezone(ZoneInfo(zone)).replace(tzinfo=None, fold=0)
    for instant, wall in passing(zone, start, end, step):
        if matcher.follows_elapsed_time:
            if matcher.matches(wall):
                found.append(instant)
        elif wall > mark:
            if any(matcher.matches(gone) for gone in between(mark, wall, step)):
                found.append(instant)
            mark = wall
    return found


@lru_cache(maxsize=8)
def passing(
    zone: str, start: datetime, end: datetime, step: timedelta
) -> list[tuple[datetime, datetime]]:
    """Every instant with what the wall shows then."""
    here = ZoneInfo(zone)
    seen = []
    instant = start
    while instant < end:
        instant += step
        seen.append((instant, instant.astimezone(here).replace(tzinfo=None, fold=0)))
    return seen


def between(mark: datetime, wall: datetime, step: timedelta) -> Iterator[datetime]:
    while mark < wall:
        mark += step
        yield mark


class Matcher:
    """Numbers, ranges, steps, lists and `*`, in five fields or six."""

    def __init__(self, expression: str) -> None:
        fields = expression.split()
        if len(fields) == 5:
            fields = ["0", *fields]
        self.follows_elapsed_time = any(field[0] == "*" or "/" in field for field in fields[:3])
        seconds, minutes, hours, days, months, weekdays = (
            numbers(field, *bounds) for field, bounds in zip(fields, BOUNDS, strict=True)
        )
        self.clock = {(h, m, s) for h in hours for m in minutes for s in seconds}
        self.days, self.months, self.weekdays = days, months, weekdays
        self.either = fields[3] != "*" and fields[5] != "*"

    def matches(self, wall: datetime) -> bool:
        if (wall.hour, wall.minute, wall.second) not in self.clock:
            return False
        by_day, by_weekday = wall.day in self.days, wall.isoweekday() % 7 in self.weekdays
        is_the_day = by_day or by_weekday if self.either else by_day and by_weekday
        return is_the_day and wall.month in self.months


def numbers(field: str, low: int, high: int) -> set[int]:
    found: set[int] = set()
    for part in field.split(","):
        body, _, step = part.partition("/")
        first, _, last = body.partition("-")
        start = low if first == "*" else int(first)
        end = high if first == "*" or (step and not last) else int(last or first)
        found |= set(range(start, end + 1, int(step or 1)))
    return found


def year_of(expression: str, zone: str) -> list[datetime]:
    """All of 2026, by the minute."""
    return fires(
        expression,
        zone,
        start=datetime(2025, 12, 31, tzinfo=UTC),
        end=datetime(2027, 1, 1, tzinfo=UTC),
        step=timedelta(minutes=1),
    )
