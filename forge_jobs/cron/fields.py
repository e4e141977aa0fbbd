"""Reads one field of a cron expression; what can't be is refused with its field and the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from forge_jobs.cron.days import MonthDays, Weekdays

WORD: Final = r"([a-z]+|[0-9]+)"
SPAN: Final = re.compile(rf"(?:\*|{WORD}(?:-{WORD})?)(?:/([0-9]+))?", re.IGNORECASE)
NEAREST: Final = re.compile(r"([0-9]+)w", re.IGNORECASE)
NTH: Final = re.compile(rf"{WORD}#([1-5])", re.IGNORECASE)
LAST: Final = re.compile(rf"l{WORD}", re.IGNORECASE)
RANDOM: Final = re.compile(r"(?:^|,)[hr](?![a-z])", re.IGNORECASE)


class BadExpression(ValueError):
    """An expression that can't be read: in which `field` of it, and for what `reason`."""

    def __init__(self, reason: str, *, field: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True)
class Place:
    """Where a field stands, and so which numbers come round in it, and how they may be written."""

    name: str
    low: int
    high: int
    takes: str
    names: tuple[str, ...] = ()
    highest: int = 0
    """What may be written, if that is more: 7 for Sunday."""

    @property
    def cycle(self) -> int:
        return self.high - self.low + 1

    def numbers(self, parts: Iterable[str]) -> frozenset[int]:
        """What numbers, ranges and steps come to together."""
        return frozenset(number for part in parts for number in self._part(part))

    def number(self, token: str) -> int:
        return self._around(self._as_written(token))

    def refusal(self, text: str) -> BadExpression:
        return BadExpression(f"{text!r} can't be; it takes {self.takes}", field=self.name)

    def _part(self, part: str) -> Iterable[int]:
        found = SPAN.fullmatch(part)
        if not found:
            raise self.refusal(part)
        first, last, step = found.groups()
        start = self._as_written(first) if first else self.low
        if last:
            length = self._length(part, start, self._as_written(last))
        else:
            length = self.high - self._around(start) if step or not first else 0
        return [self._around(start + n) for n in range(0, length + 1, self._step(part, step))]

    def _step(self, part: str, step: str | None) -> int:
        if step is None:
            return 1
        if int(step) > self.cycle:
            raise BadExpression(
                f"{part!r} steps out of its range; an interval is written as @every 90m",
                field=self.name,
            )
        if not int(step):
            raise self.refusal(part)
        return int(step)

    def _length(self, part: str, start: int, end: int) -> int:
        """How far the one is from the other, over the end if need be."""
        length = end - start if end > start else (end - start) % self.cycle
        # 0-7 is the whole week; in sun-7 somebody wrote Sunday in two ways.
        if not length or (length == self.cycle and not part[0].isdigit()):
            first = part.partition("-")[0]
            raise BadExpression(f"{part!r} has no span; write {first}", field=self.name)
        return length

    def _as_written(self, token: str) -> int:
        lowered = token.lower()
        if lowered in self.names:
            return self.low + self.names.index(lowered)
        number = int(token) if token.isdigit() else -1
        if not self.low <= number <= max(self.high, self.highest):
            raise self.refusal(token)
        return number

    def _around(self, number: int) -> int:
        return (number - self.low) % self.cycle + self.low


SECOND: Final = Place("second", 0, 59, "0 to 59")
MINUTE: Final = Place("minute", 0, 59, "0 to 59")
HOUR: Final = Place("hour", 0, 23, "0 to 23")
DAY: Final = Place(
    "day of month", 1, 31, "1 to 31, L for the last day, 15W for the weekday nearest to the 15th"
)
MONTH: Final = Place(
    "month",
    1,
    12,
    "1 to 12, or jan to dec",
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"),
)
WEEKDAY: Final = Place(
    "day of week",
    0,
    6,
    "0 to 7 from Sunday to Sunday, or sun to sat, 5#2 for the second Friday, "
    "L5 for the last Friday",
    ("sun", "mon", "tue", "wed", "thu", "fri", "sat"),
    highest=7,
)


def numbers(place: Place, field: str) -> tuple[int, ...]:
    """In their order."""
    return tuple(sorted(place.numbers(_parts(place, field))))


def month_days(field: str) -> MonthDays:
    spans, nearest, last = [], set(), False
    for part in _parts(DAY, "*" if field == "?" else field):
        if part.lower() == "l":
            last = True
        elif found := NEAREST.fullmatch(part):
            nearest.add(DAY.number(found[1]))
        else:
            spans.append(part)
    return MonthDays(numbers=DAY.numbers(spans), nearest=frozenset(nearest), last=last)


def weekdays(field: str) -> Weekdays:
    spans, nth, last = [], set(), set()
    for part in _parts(WEEKDAY, "*" if field == "?" else field):
        if found := NTH.fullmatch(part):
            nth.add((WEEKDAY.number(found[1]), int(found[2])))
        elif found := LAST.fullmatch(part):
            last.add(WEEKDAY.number(found[1]))
        else:
            spans.append(part)
    return Weekdays(numbers=WEEKDAY.numbers(spans), nth=frozenset(nth), last=frozenset(last))


def _parts(place: Place, field: str) -> list[str]:
    if RANDOM.search(field):
        raise BadExpression(f"{field!r} is random; write what is meant", field=place.name)
    return field.split(",")
