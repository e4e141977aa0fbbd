"""The one reading of a cron expression: fires, words and checks all come from what it says here."""

from __future__ import annotations

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, timedelta
from functools import cached_property, lru_cache
from typing import Final

from forge_jobs.cron import LONGEST_EXPRESSION, fields
from forge_jobs.cron.days import WEEK, Month, MonthDays, Weekdays
from forge_jobs.cron.fields import BadExpression

ALIASES: Final = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
LENGTHS: Final = {2: (28, 29), 4: (30,), 6: (30,), 9: (30,), 11: (30,)}
"""Of the months that have no 31 days."""


class NeverDue(Exception):
    """Nothing that fits comes any more."""


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What an expression says. Seconds, minutes, hours and months are in their order."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: MonthDays
    months: tuple[int, ...]
    weekdays: Weekdays
    either: bool
    """A day that fits one of the two day fields is enough: neither begins with a `*`."""
    follows_time: bool
    """Its seconds, minutes or hours begin with a `*`."""

    def after(self, wall: datetime) -> datetime:
        """The next time on the wall that fits, strictly later; raises `NeverDue` at time's end."""
        wall = wall.replace(microsecond=0) + timedelta(seconds=1)
        day = wall.date()
        clock = self._clock_from(wall) if day.day in self._days_in(day.year, day.month) else None
        if clock is None:
            day = self._day_after(day)
            clock = self.hours[0], self.minutes[0], self.seconds[0]
        return datetime(day.year, day.month, day.day, *clock)  # noqa: DTZ001 - a time on the wall

    @property
    def is_never_due(self) -> bool:
        """Every kind of month comes in time: each length begins on each weekday."""
        lengths = {length for month in self.months for length in LENGTHS.get(month, (31,))}
        kinds = (Month(length, first) for length in lengths for first in range(WEEK))
        return not any(self._days_of(month) for month in kinds)

    def _clock_from(self, wall: datetime) -> tuple[int, int, int] | None:
        """The first time of its day that fits, not earlier; None if the day has no more."""
        hour, minute, second = wall.hour, wall.minute, wall.second
        hours, minutes, seconds = self.hours, self.minutes, self.seconds
        at = bisect_left(hours, hour)
        if at < len(hours) and hours[at] == hour:
            found = bisect_left(minutes, minute)
            if found < len(minutes) and minutes[found] == minute:
                following = bisect_left(seconds, second)
                if following < len(seconds):
                    return hour, minute, seconds[following]
                found += 1
            if found < len(minutes):
                return hour, minutes[found], seconds[0]
            at += 1
        return (hours[at], minutes[0], seconds[0]) if at < len(hours) else None

    def _day_after(self, day: date) -> date:
        for year, month in self._months_from(day):
            for found in self._days_in(year, month):
                if found > day.day or (year, month) != (day.year, day.month):
                    return date(year, month, found)
        raise NeverDue

    def _months_from(self, day: date) -> Iterator[tuple[int, int]]:
        yield from ((day.year, month) for month in self.months if month >= day.month)
        for year in range(day.year + 1, MAXYEAR + 1):
            yield from ((year, month) for month in self.months)

    def _days_in(self, year: int, month: int) -> tuple[int, ...]:
        if month not in self.months:
            return ()
        kind = _kind_of(year, month)
        if kind not in self._known_days:
            self._known_days[kind] = self._days_of(kind)
        return self._known_days[kind]

    def _days_of(self, month: Month) -> tuple[int, ...]:
        by_number, by_weekday = self.days.of(month), self.weekdays.of(month)
        return tuple(sorted(by_number | by_weekday if self.either else by_number & by_weekday))

    @cached_property
    def _known_days(self) -> dict[Month, tuple[int, ...]]:
        return {}


@lru_cache(maxsize=4_096)
def reading_of(expression: str) -> Reading:
    """Raises `BadExpression` for what can't be read, or is never due."""
    seconds, minutes, hours, days, months, weekdays = ["0", *_fields_of(expression)][-6:]
    reading = Reading(
        seconds=fields.numbers(fields.SECOND, seconds),
        minutes=fields.numbers(fields.MINUTE, minutes),
        hours=fields.numbers(fields.HOUR, hours),
        days=fields.month_days(days),
        months=fields.numbers(fields.MONTH, months),
        weekdays=fields.weekdays(weekdays),
        either=not (days[0] in "*?" or weekdays[0] in "*?"),
        follows_time=any(field[0] == "*" for field in (seconds, minutes, hours)),
    )
    if reading.is_never_due:
        raise BadExpression("it never comes to pass", field="expression")
    return reading


def _fields_of(expression: str) -> list[str]:
    """The five or six of it, as they are written."""
    if not expression.strip():
        raise BadExpression("it is empty", field="expression")
    if len(expression) > LONGEST_EXPRESSION:
        raise BadExpression(f"it has more than {LONGEST_EXPRESSION} characters", field="expression")
    found = ALIASES.get(expression.strip().lower(), expression).split()
    if found[0].startswith("@"):
        known = ", ".join([*ALIASES, "@every 1h30m"])
        raise BadExpression(f"{found[0]} is none of {known}", field="expression")
    if len(found) not in (5, 6):
        count = "1 field" if len(found) == 1 else f"{len(found)} fields"
        raise BadExpression(
            f"it has {count}; it takes 5, or 6 with seconds first, and an interval is written as "
            f"@every 30s",
            field="expression",
        )
    return found


@lru_cache(maxsize=4_096)
def _kind_of(year: int, month: int) -> Month:
    monday_based, length = monthrange(year, month)
    return Month(length=length, begins_on=(monday_based + 1) % WEEK)
