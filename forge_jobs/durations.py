"""Durations as people type and read them: `30s`, `15m`, `12h`, `7d`."""

import re
from datetime import timedelta
from typing import Final

UNITS: Final = {"": "seconds", "s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST: Final = timedelta(days=36_500)
WHOLE: Final = {"d": 86_400, "h": 3_600, "m": 60}
"""The seconds of each unit but the smallest, the largest first."""

WORDS: Final = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def parse(text: str) -> timedelta:
    """`30s`, `15m`, `12h`, `7d`, or a number of seconds; raises `ValueError` with what to write."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found:
        raise ValueError(
            f"{text!r} is no duration; write 30s, 15m, 12h or 7d, or a number of seconds."
        )
    number, unit = found.groups()
    try:
        given = timedelta(**{UNITS[unit]: float(number)})
    except OverflowError:
        given = timedelta.max
    if given > LONGEST:
        raise ValueError(f"{text!r} is too long; the longest duration is 36500d.")
    return given


def written(seconds: float) -> str:
    """As `parse()` reads it, in the largest unit of which it is a whole number."""
    number, unit = _in_one_unit(seconds)
    return f"{number}{unit}"


def told(seconds: float) -> str:
    """The same in words: `7 days`, `1.5 seconds`."""
    number, unit = _in_one_unit(seconds)
    return f"{number} {WORDS[unit]}{'' if number == '1' else 's'}"


def _in_one_unit(seconds: float) -> tuple[str, str]:
    for unit, length in WHOLE.items():
        if seconds and seconds % length == 0:
            return f"{seconds / length:.0f}", unit
    return f"{seconds:.6f}".rstrip("0").rstrip("."), "s"
