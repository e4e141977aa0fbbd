"""Which days of a month fit, by number and by weekday; Sunday is weekday 0."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

WEEK: Final = 7


@dataclass(frozen=True)
class Month:
    """All that days depend on: how many there are, and on which weekday the first falls."""

    length: int
    begins_on: int

    def weekday(self, day: int) -> int:
        return (self.begins_on + day - 1) % WEEK

    def all_of(self, weekday: int) -> range:
        """Its Sundays, its Mondays …"""
        return range((weekday - self.begins_on) % WEEK + 1, self.length + 1, WEEK)

    def weekday_nearest(self, day: int) -> int:
        """Monday to Friday, in the same month."""
        match self.weekday(day):
            case 0:
                return day + 1 if day < self.length else day - 2
            case 6:
                return day - 1 if day > 1 else day + 2
        return day


@dataclass(frozen=True, kw_only=True)
class MonthDays:
    """What the field for the day of the month says."""

    numbers: frozenset[int]
    nearest: frozenset[int] = frozenset()
    """The weekdays nearest to these; none in a month that lacks the day."""
    last: bool = False

    def of(self, month: Month) -> set[int]:
        days = {day for day in self.numbers if day <= month.length}
        days |= {month.weekday_nearest(day) for day in self.nearest if day <= month.length}
        return days | {month.length} if self.last else days


@dataclass(frozen=True, kw_only=True)
class Weekdays:
    """What the field for the day of the week says."""

    numbers: frozenset[int]
    nth: frozenset[tuple[int, int]] = frozenset()
    """Weekdays with which of them it is in a month: (5, 2) is the second Friday."""
    last: frozenset[int] = frozenset()

    def of(self, month: Month) -> set[int]:
        days = {day for weekday in self.numbers for day in month.all_of(weekday)}
        days |= {month.all_of(weekday)[-1] for weekday in self.last}
        return days | {
            month.all_of(weekday)[nth - 1]
            for weekday, nth in self.nth
            if nth <= len(month.all_of(weekday))
        }
