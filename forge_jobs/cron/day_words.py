"""Says in words on which days, and in which months, an expression is due."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from forge_jobs.cron.days import MonthDays, Weekdays
from forge_jobs.cron.enumeration import (
    SHORTEST_RUN,
    is_progression,
    joined,
    ordinal,
    runs,
    spelled,
    step,
)
from forge_jobs.cron.reading import Reading

MONTHS: Final = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
WEEKDAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
NTH: Final = ("first", "second", "third", "fourth", "fifth")
ODD: Final = frozenset(range(1, 32, 2))
EVEN: Final = frozenset(range(2, 32, 2))


def days(reading: Reading) -> str:
    """Such as "on day 13 of the month or on Friday"; empty for every day."""
    all_days = len(reading.days.numbers) == 31
    all_weekdays = len(reading.weekdays.numbers) == 7
    if (all_days and all_weekdays) or (reading.either and (all_days or all_weekdays)):
        return ""
    if all_days:
        return _by_weekday(reading.weekdays)
    if all_weekdays:
        return _by_number(reading.days)
    if reading.either:
        return f"{_by_number(reading.days)} or {_by_weekday(reading.weekdays)}"
    return f"{_by_weekday(reading.weekdays)}, but only {_by_number(reading.days)}"


def months(numbers: tuple[int, ...]) -> str:
    """Such as "in March" and "from November through February"; empty for all."""
    if len(numbers) == len(MONTHS):
        return ""
    if span := _round_the_end(numbers, first=1, last=12):
        return f"from {MONTHS[span[0] - 1]} through {MONTHS[span[1] - 1]}"
    return f"in {spelled(numbers, lambda number: MONTHS[number - 1])}"


def _by_number(days: MonthDays) -> str:
    parts = []
    if days.numbers:
        parts.append(_numbered(days.numbers))
    if days.nearest:
        parts.append(f"the weekday nearest to {_listed(sorted(days.nearest))}")
    if days.last:
        parts.append("the last day")
    return f"on {joined(parts)} of the month"


def _numbered(numbers: frozenset[int]) -> str:
    if numbers == ODD:
        return "odd days"
    if numbers == EVEN:
        return "even days"
    ordered = sorted(numbers)
    if is_progression(ordered) and (distance := step(ordered)) > 1:
        return f"every {ordinal(distance)} day from {ordered[0]} through {ordered[-1]}"
    return _listed(ordered)


def _by_weekday(weekdays: Weekdays) -> str:
    special = [f"the {NTH[nth - 1]} {WEEKDAYS[day]}" for day, nth in sorted(weekdays.nth)]
    special += [f"the last {WEEKDAYS[day]}" for day in sorted(weekdays.last)]
    span = _round_the_end(sorted(weekdays.numbers), first=0, last=6)
    if span and not special:
        return f"{WEEKDAYS[span[0]]} through {WEEKDAYS[span[1]]}"
    plain = [WEEKDAYS[day] for day in sorted(weekdays.numbers, key=lambda day: day or 7)]
    return f"on {joined([*plain, *special])}{' of the month' if special else ''}"


def _listed(days: Sequence[int]) -> str:
    return f"day {days[0]}" if len(days) == 1 else f"days {spelled(days)}"


def _round_the_end(numbers: Sequence[int], *, first: int, last: int) -> tuple[int, int] | None:
    """From where to where they follow one another, over the end too; None if with gaps, or few."""
    if len(numbers) < SHORTEST_RUN:
        return None
    match runs(numbers):
        case [span]:
            return span
        case [(begin, end), (start, stop)] if (begin, stop) == (first, last):
            return start, end
    return None
