"""Says in words at which times of a day an expression is due."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import Final

from forge_jobs.cron.enumeration import (
    counted,
    is_progression,
    joined,
    ordinal,
    runs,
    spelled,
    step,
)
from forge_jobs.cron.reading import Reading

MOST_TIMES: Final = 6
"""So many are said one by one."""
FEWEST_RECURRENCES: Final = 3
ALL_DAY, ALL_HOUR = range(24), range(60)
ON_THE_WHOLE: Final = (0,)


def clock(reading: Reading) -> str:
    """Such as "every 5 minutes, between 09:00 and 17:59"."""
    if reading.seconds != ON_THE_WHOLE:
        return _with_seconds(reading)
    if reading.minutes == ON_THE_WHOLE:
        return _on_the_hour(reading)
    minutes, hours = reading.minutes, reading.hours
    if _recurs(minutes, ALL_HOUR) or (len(hours) == 1 and _recurs_once(minutes)):
        return _phrases(_every(step(minutes), "minute"), _within(hours))
    return _times(reading) or _phrases(_past(minutes, "minute", "hour"), _within(hours))


def _with_seconds(reading: Reading) -> str:
    seconds, minutes, hours = reading.seconds, reading.minutes, reading.hours
    if _recurs(seconds, ALL_HOUR):
        pace = _every(step(seconds), "second")
    elif times := _times(reading):
        return times
    else:
        pace = _past(seconds, "second", "minute")
    if len(hours) == 1 and len(runs(minutes)) == 1 and len(minutes) < len(ALL_HOUR):
        begin, end = f"{hours[0]:02}:{minutes[0]:02}:00", f"{hours[0]:02}:{minutes[-1]:02}:59"
        return f"{pace}, between {begin} and {end}"
    return _phrases(pace, _in_minutes(minutes), _within(hours))


def _on_the_hour(reading: Reading) -> str:
    hours = reading.hours
    if _recurs(hours, ALL_DAY):
        return _every(step(hours), "hour")
    if is_progression(hours):
        between = f"between {hours[0]:02}:00 and {hours[-1]:02}:00"
        return _phrases(_every(step(hours), "hour"), between)
    return _times(reading) or _phrases(_past(ON_THE_WHOLE, "minute", "hour"), _within(hours))


def _times(reading: Reading) -> str:
    """All of them, if they are few."""
    if len(reading.hours) * len(reading.minutes) * len(reading.seconds) > MOST_TIMES:
        return ""
    found = product(reading.hours, reading.minutes, reading.seconds)
    if reading.seconds == ON_THE_WHOLE:
        return "at " + joined([f"{hour:02}:{minute:02}" for hour, minute, _second in found])
    return "at " + joined([f"{hour:02}:{minute:02}:{second:02}" for hour, minute, second in found])


def _recurs(numbers: Sequence[int], cycle: range) -> bool:
    """Whether they come at the same pace for ever, over the ends of their cycles too."""
    distance = step(numbers)
    regular = distance > 0 and len(cycle) % distance == 0 and [*numbers] == [*cycle[::distance]]
    return regular and len(numbers) >= FEWEST_RECURRENCES


def _recurs_once(minutes: Sequence[int]) -> bool:
    """The same, for those of a single hour."""
    distance = step(minutes)
    regular = distance > 0 and [*minutes] == [*ALL_HOUR[::distance]]
    return regular and len(minutes) > MOST_TIMES


def _every(distance: int, unit: str) -> str:
    return f"every {unit}" if distance == 1 else f"every {distance} {unit}s"


def _past(numbers: Sequence[int], unit: str, whole: str) -> str:
    """Such as "at 5 and 35 minutes past the hour"."""
    if is_progression(numbers):
        pace = _every(step(numbers), unit)
        return f"{pace} from {numbers[0]} through {numbers[-1]} past the {whole}"
    if len(numbers) == 1:
        return f"at {counted(unit, numbers[0])} past the {whole}"
    return f"at {spelled(numbers)} {unit}s past the {whole}"


def _in_minutes(minutes: Sequence[int]) -> str:
    return "" if len(minutes) == len(ALL_HOUR) else f"in {_these(minutes, 'minute')} of the hour"


def _within(hours: Sequence[int]) -> str:
    if len(hours) == len(ALL_DAY):
        return ""
    if len(runs(hours)) == 1:
        return f"between {hours[0]:02}:00 and {hours[-1]:02}:59"
    return f"in {_these(hours, 'hour')} of the day"


def _these(numbers: Sequence[int], unit: str) -> str:
    if is_progression(numbers) and (distance := step(numbers)) > 1:
        return f"every {ordinal(distance)} {unit} from {numbers[0]} through {numbers[-1]}"
    return f"{unit} {numbers[0]}" if len(numbers) == 1 else f"{unit}s {spelled(numbers)}"


def _phrases(*phrases: str) -> str:
    return ", ".join(filter(None, phrases))
