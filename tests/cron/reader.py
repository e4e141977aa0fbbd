"""Reads sentences as a person would, and knows nothing of the expressions that they came from."""

from __future__ import annotations

import re
from calendar import day_name, month_name, monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

Fits = Callable[[date], bool]

ORDINALS: Final = ["first", "second", "third", "fourth", "fifth"]
NUMBERS: Final = r"\d+(?: through \d+)?(?:(?:, | and )\d+(?: through \d+)?)*"
TIME: Final = r"\d\d:\d\d(?::\d\d)?"
EVERY_NTH: Final = r"every (?P<nth>\d+)(?:st|nd|rd|th)"
FROM: Final = r"from (?P<first>\d+) through (?P<last>\d+)"
UNIT: Final = r"(?P<unit>hour|minute|second)s?"
MONTHS, WEEKDAYS = [*month_name][1:], [*day_name]
MONTH, WEEKDAY = "|".join(MONTHS), "|".join(WEEKDAYS)
LISTED_MONTHS: Final = re.compile(rf"(?:^|, )(?:from|in) ((?:{MONTH}).*)$")
CLOCK_PHRASES: Final = [
    rf"at (?P<times>{TIME}(?:(?:, | and ){TIME})*)",
    rf"every (?:(?P<nth>\d+) )?{UNIT} {FROM} past the \w+",
    rf"every (?:(?P<pace>\d+) )?{UNIT}",
    rf"at (?P<numbers>{NUMBERS}) {UNIT} past the \w+",
    rf"between (?P<begin>{TIME}) and (?P<end>{TIME})",
    rf"in {EVERY_NTH} {UNIT} {FROM} of the \w+",
    rf"in {UNIT} (?P<numbers>{NUMBERS}) of the \w+",
]
DAY_PHRASES: Final = [
    rf"{EVERY_NTH} day {FROM}",
    r"(?P<parity>odd|even) days",
    rf"the weekday nearest to days? (?P<nearest>{NUMBERS})",
    r"the (?P<end>last day)",
    rf"days? (?P<numbers>{NUMBERS})",
]
WEEKDAY_PHRASES: Final = [
    rf"the (?P<nth>{'|'.join([*ORDINALS, 'last'])}) (?P<weekday>{WEEKDAY})",
    rf"(?P<weekday>{WEEKDAY})(?: through (?P<last>{WEEKDAY}))?",
]


@dataclass
class Clock:
    minutes: set[int]
    """Of the day."""
    seconds: set[int]

    def read(self, said: dict[str, str], *, since: int | None) -> None:
        match said:
            case {"times": times}:
                self.minutes = {minute_of(time) for time in re.findall(TIME, times)}
                self.seconds = {int(time[6:] or 0) for time in re.findall(TIME, times)}
                assert len(re.findall(TIME, times)) == len(self.minutes) * len(self.seconds)
            case {"begin": begin, "end": end}:
                self.minutes &= {*range(minute_of(begin), minute_of(end) + 1)}
            case {"first": first, "last": last, "unit": unit}:
                self.keep(unit, {*range(int(first), int(last) + 1, int(said.get("nth", 1)))})
            case {"numbers": numbers, "unit": unit}:
                self.keep(unit, numbers_of(numbers))
            case {"unit": "second"}:
                self.seconds = {*range(0, 60, int(said.get("pace", 1)))}
            case {"unit": unit}:
                step = int(said.get("pace", 1)) * (60 if unit == "hour" else 1)
                assert since is not None or 1_440 % step == 0  # it goes on at midnight
                self.minutes = {*range(since or 0, 1_440, step)}

    def keep(self, unit: str, numbers: set[int]) -> None:
        match unit:
            case "second":
                self.seconds = numbers
            case "minute":
                self.minutes = {minute for minute in self.minutes if minute % 60 in numbers}
            case _:
                self.minutes = {minute for minute in self.minutes if minute // 60 in numbers}


def understood(sentence: str) -> tuple[Clock, Fits]:
    """The times of a day, and whether a date fits."""
    clock, rest = clock_of(sentence[0].lower() + sentence[1:])
    months = LISTED_MONTHS.search(rest)
    named = round_of(months[1], MONTHS, first=1) if months else {*range(1, 13)}
    days = days_of(rest[: months.start()] if months else rest)
    return clock, lambda day: day.month in named and days(day)


def clock_of(text: str) -> tuple[Clock, str]:
    """The first phrase says how often, the others narrow it; and what is left of the text."""
    clock = Clock({*range(1_440)}, {0})
    begin = re.search(rf"between ({TIME})", text)
    since = minute_of(begin[1]) if begin else None
    while found := leading(CLOCK_PHRASES, text, r"(?:, |$)"):
        clock.read(spoken(found), since=since)
        text = text[found.end() :]
    return clock, text


def days_of(text: str) -> Fits:
    if not text:
        return lambda _day: True
    for word, both in (", but only ", all), (" or ", any):
        if word in text:
            parts = [days_of(part) for part in text.split(word)]
            return lambda day: both(part(day) for part in parts)
    body = text.removeprefix("on ").removesuffix(" of the month")
    phrases = DAY_PHRASES if re.search(r"\bdays?\b", body) else WEEKDAY_PHRASES
    fits = []
    while found := leading(phrases, body, r"(?:, (?=\D)| and (?=\D)|$)"):
        fits.append(day_fits(spoken(found)))
        body = body[found.end() :]
    assert fits
    assert not body
    return lambda day: any(one(day) for one in fits)


def day_fits(said: dict[str, str]) -> Fits:
    match said:
        case {"nth": nth, "first": first, "last": last}:
            every = range(int(first), int(last) + 1, int(nth))
            return lambda day: day.day in every
        case {"parity": parity}:
            return lambda day: day.day % 2 == (parity == "odd")
        case {"nearest": numbers}:
            return lambda day: any(day == nearest(day, number) for number in numbers_of(numbers))
        case {"end": _}:
            return lambda day: (day + timedelta(days=1)).day == 1
        case {"numbers": numbers}:
            return lambda day: day.day in numbers_of(numbers)
        case {"nth": "last", "weekday": name}:
            return lambda day: (
                WEEKDAYS[day.weekday()] == name and (day + timedelta(days=7)).month != day.month
            )
        case {"nth": nth, "weekday": name}:
            return lambda day: (
                WEEKDAYS[day.weekday()] == name and (day.day - 1) // 7 == ORDINALS.index(nth)
            )
    named = round_of(" through ".join(filter(None, (said["weekday"], said.get("last")))), WEEKDAYS)
    return lambda day: day.weekday() in named


def nearest(day: date, number: int) -> date | None:
    length = monthrange(day.year, day.month)[1]
    if number > length:
        return None
    days = [day.replace(day=n) for n in range(1, length + 1)]
    return min((d for d in days if d.weekday() < 5), key=lambda d: abs(d.day - number))


def leading(phrases: Sequence[str], text: str, end: str) -> re.Match[str] | None:
    return next(filter(None, (re.match(phrase + end, text) for phrase in phrases)), None)


def spoken(found: re.Match[str]) -> dict[str, str]:
    return {name: value for name, value in found.groupdict().items() if value}


def round_of(text: str, names: Sequence[str], *, first: int = 0) -> set[int]:
    """Names that are listed, or lead from one through another, over the end too."""
    found: set[int] = set()
    for part in re.split(r", | and ", text):
        begin, end = (names.index(name) for name in (part.split(" through ") * 2)[:2])
        if " through " not in part:
            end = begin
        found |= {(begin + n) % len(names) for n in range((end - begin) % len(names) + 1)}
    return {number + first for number in found}


def numbers_of(text: str) -> set[int]:
    spans = [[*map(int, part.split(" through "))] for part in re.split(r", | and ", text)]
    return {number for span in spans for number in range(span[0], span[-1] + 1)}


def minute_of(time: str) -> int:
    return int(time[:2]) * 60 + int(time[3:5])
