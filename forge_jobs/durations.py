"""Durations and moments as they come in, bounded; durations as people type and read them."""

import re
from datetime import UTC, datetime, timedelta
from math import isfinite
from typing import Final

from forge_jobs.wording import quoted

FIRST: Final = datetime.min.replace(tzinfo=UTC)
LAST: Final = datetime.max.replace(tzinfo=UTC)
LONGEST: Final = timedelta(days=36_500)
"""No duration that is stored is longer, and no moment further away: a hundred years."""
WHOLE: Final = {"d": 86_400, "h": 3_600, "m": 60}
"""The seconds of each unit but the smallest, the largest first."""

WORDS: Final = {"d": "day", "h": "hour", "m": "minute", "s": "second"}


def as_timedelta(value: timedelta | float, *, field: str) -> timedelta:
    """A duration given as a `timedelta` or in seconds.

    Raises a `ValueError` that names the field for anything else, and for what is negative or
    longer than `LONGEST`.
    """
    duration = _duration(value, field)
    if duration > LONGEST:
        raise ValueError(
            f"{field} is {quoted(value)}; the longest duration is {LONGEST.days:,} days."
        )
    return duration


def clamped(value: timedelta | float, *, field: str) -> timedelta:
    """The same, but what is too long becomes `LONGEST`: for what others ask of a handler."""
    return min(LONGEST, _duration(value, field))


def of_seconds(seconds: float) -> timedelta:
    """A duration from a column, in which anything may stand: at most `LONGEST`, never negative."""
    longest = LONGEST.total_seconds()
    return timedelta(seconds=max(0.0, seconds)) if seconds < longest else LONGEST


def as_moment(value: datetime, *, field: str, now: datetime) -> datetime:
    """An aware moment, in UTC; what is longer past than `LONGEST` becomes the first that is not.

    Raises a `ValueError` that names the field for anything else, and for what is further ahead.
    """
    moment = nearest(value, field=field, now=now)
    if moment == now + LONGEST:
        raise ValueError(f"{field} is {quoted(value)}, more than {LONGEST.days:,} days ahead.")
    return moment


def nearest(value: datetime, *, field: str, now: datetime) -> datetime:
    """An aware moment, in UTC; what is too far away becomes the nearest moment that is not.

    Raises a `ValueError` that names the field for anything else.
    """
    return min(now + LONGEST, max(now - LONGEST, in_utc(value, field=field)))


def in_utc(value: datetime, *, field: str) -> datetime:
    """An aware moment, in UTC; the first or last that there is, for one that has no name there.

    Raises a `ValueError` that names the field for anything else.
    """
    if not isinstance(value, datetime):
        raise ValueError(f"{field} must be a datetime, not {quoted(value)}.")
    if (offset := value.utcoffset()) is None:
        raise ValueError(
            f"{field} must be aware, unlike {quoted(value)}; see "
            f"django.utils.timezone.make_aware()."
        )
    wall = datetime.combine(value.date(), value.time(), tzinfo=UTC)
    try:
        return wall - offset
    except OverflowError:
        return LAST if offset < timedelta(0) else FIRST


def _duration(value: timedelta | float, field: str) -> timedelta:
    match value:
        case timedelta():
            plain = timedelta(value.days, value.seconds, value.microseconds)
            if plain >= timedelta(0):
                return plain
        case bool():
            pass
        case int() | float() if 0 <= value < float("inf"):
            return timedelta(seconds=min(value, 2 * LONGEST.total_seconds()))
    raise ValueError(
        f"{field} must be a timedelta or a number of seconds, 0 or more, not {quoted(value)}."
    )


def parse(text: str) -> timedelta:
    """`30s`, `15m`, `12h`, `7d`, or a number of seconds; raises `ValueError` with what to write."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text)
    if not found:
        raise ValueError(
            f"{text!r} is no duration; write 30s, 15m, 12h or 7d, or a number of seconds."
        )
    number, unit = found.groups()
    seconds = float(number) * WHOLE.get(unit, 1)
    if seconds > LONGEST.total_seconds():
        raise ValueError(f"{text!r} is too long; the longest duration is 36500d.")
    return timedelta(seconds=seconds)


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
    if not isfinite(seconds):  # as no column of ours holds, unless somebody's SQL put it there
        return f"{seconds:g} s"
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
