"""Durations as people type them, `30s`, `15m`, `12h`, `7d`, and as they read them."""

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


def spelled(seconds: float) -> str:
    """As long as it took, in the two largest units: `0.4 ms`, `12 ms`, `1.3 s`, `1 h 5 min`."""
    if seconds < 0.9995:
        milliseconds = f"{seconds * 1000:.{0 if seconds >= 0.00995 else 1}f}".removesuffix(".0")
        return f"{milliseconds} ms" if seconds > 0 and milliseconds != "0" else "0 s"
    if seconds < 59.95:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    minutes, rest = divmod(round(seconds), 60)
    hours, days = minutes // 60, minutes // (24 * 60)
    if not hours:
        return f"{minutes} min {rest} s"
    return f"{days} d {hours % 24} h" if days else f"{hours} h {minutes % 60} min"


def _in_one_unit(seconds: float) -> tuple[str, str]:
    for unit, length in WHOLE.items():
        if seconds and seconds % length == 0:
            return f"{seconds / length:.0f}", unit
    return f"{seconds:.6f}".rstrip("0").rstrip("."), "s"
