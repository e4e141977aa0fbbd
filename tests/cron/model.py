"""Cron by brute force: looks at every minute that passes, and shares no code with the package.

Expressions that follow elapsed time fire in each minute whose wall time matches. Others fire once
for each wall time that the wall has gone past for the first time: a mark remembers the highest.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

ZONES = ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
CYCLES = [(0, 60), (0, 60), (0, 24), (1, 31), (1, 12), (0, 7)]
NAMES = {
    name: number
    for first, names in [
        (1, "jan feb mar apr may jun jul aug sep oct nov dec"),
        (0, "sun mon tue wed thu fri sat"),
    ]
    for number, name in enumerate(names.split(), first)
}


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


@lru_cache(maxsize=64)
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
    """All that an expression may say, tried on one time after the other."""

    def __init__(self, expression: str) -> None:
        fields = expression.lower().replace("?", "*").split()
        if len(fields) == 5:
            fields = ["0", *fields]
        self.follows_elapsed_time = any(field[0] == "*" for field in fields[:3])
        seconds, minutes, hours = (
            numbers(field, *cycle) for field, cycle in zip(fields[:3], CYCLES, strict=False)
        )
        self.clock = {(h, m, s) for h in hours for m in minutes for s in seconds}
        self.day_parts, self.weekday_parts = fields[3].split(","), fields[5].split(",")
        self.months = numbers(fields[4], *CYCLES[4])
        self.either = fields[3][0] != "*" and fields[5][0] != "*"
        self.known: dict[date, bool] = {}

    def matches(self, wall: datetime) -> bool:
        return (wall.hour, wall.minute, wall.second) in self.clock and self.is_the_day(wall.date())

    def is_the_day(self, day: date) -> bool:
        if day not in self.known:
            by_day = any(fits_day(part, day) for part in self.day_parts)
            by_weekday = any(fits_weekday(part, day) for part in self.weekday_parts)
            fits = by_day or by_weekday if self.either else by_day and by_weekday
            self.known[day] = fits and day.month in self.months
        return self.known[day]


@lru_cache(maxsize=100_000)
def fits_day(part: str, day: date) -> bool:
    length = monthrange(day.year, day.month)[1]
    if part == "l":
        return day.day == length
    if part.endswith("w"):
        wanted = int(part[:-1])
        days = [n for n in range(1, length + 1) if day.replace(day=n).isoweekday() < 6]
        return wanted <= length and day.day == min(days, key=lambda n: abs(n - wanted))
    return day.day in numbers(part, *CYCLES[3])


@lru_cache(maxsize=100_000)
def fits_weekday(part: str, day: date) -> bool:
    here = day.isoweekday() % 7
    if part.startswith("l"):
        return number(part[1:]) % 7 == here and (day + timedelta(days=7)).month != day.month
    if "#" in part:
        weekday, nth = part.split("#")
        before = day - timedelta(days=7 * int(nth))
        return (
            number(weekday) % 7 == here
            and before.month != day.month
            and (before + timedelta(days=7)).month == day.month
        )
    return here in numbers(part, *CYCLES[5])


@lru_cache(maxsize=100_000)
def numbers(field: str, low: int, cycle: int) -> set[int]:
    return set().union(*(spread(part, low, cycle) for part in field.split(",")))


def spread(part: str, low: int, cycle: int) -> set[int]:
    """Walks from the first to the last, one by one, and keeps every so many."""
    body, _, step = part.partition("/")
    first, _, last = body.partition("-")
    top = low + cycle - 1
    here = low if first == "*" else number(first)
    if here > top:  # Sunday, as 7
        here = low
    end = number(last) if last else top if step or first == "*" else here
    found, walked = set(), 0
    while True:
        if walked % int(step or 1) == 0:
            found.add(here if here <= top else low)
        if here == end:
            return found
        here, walked = here + 1, walked + 1
        if here > max(top, end):
            here = low


def number(text: str) -> int:
    return NAMES[text] if text in NAMES else int(text)


def year_of(expression: str, zone: str) -> list[datetime]:
    """All of 2026, by the minute."""
    return fires(
        expression,
        zone,
        start=datetime(2025, 12, 31, tzinfo=UTC),
        end=datetime(2027, 1, 1, tzinfo=UTC),
        step=timedelta(minutes=1),
    )
