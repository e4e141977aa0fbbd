"""Time zones: by name, where their clocks change, and which instant a wall time is."""

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final
from zoneinfo import ZoneInfo

DAY: Final = timedelta(days=1)
SECOND: Final = timedelta(seconds=1)


class UnknownZone(ValueError):
    """No IANA time zone has this name."""


def zone_named(name: str) -> ZoneInfo:
    """Raises `UnknownZone`, whatever is wrong with the name."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError, TypeError, AttributeError):
        raise UnknownZone(f"there is no time zone {name!r}") from None


def wall_time(instant: datetime, zone: tzinfo) -> datetime:
    """What a clock on the wall shows at an instant: naive."""
    return instant.astimezone(zone).replace(tzinfo=None, fold=0)


def furthest_wall(instant: datetime, zone: tzinfo) -> datetime:
    """The latest time that a clock on the wall has shown by an instant.

    In an hour that comes twice it is the end of the first, for there the clock went back.
    """
    here = instant.astimezone(zone)
    if not here.fold:
        return here.replace(tzinfo=None)
    first = here.replace(fold=0).astimezone(UTC)
    change = first_change(zone, after=first, until=instant) or instant
    return wall_time(change - SECOND, zone)


def instant_of(wall: datetime, zone: tzinfo) -> datetime:
    """When a clock on the wall first shows a time, or first has gone past it.

    A time that comes twice is the first one; one that is skipped is the end of the jump. So a
    later wall time is never an earlier instant.
    """
    instant = wall.replace(tzinfo=zone).astimezone(UTC)
    if wall_time(instant, zone) == wall:
        return instant
    before_the_jump = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    return first_change(zone, after=before_the_jump, until=instant) or instant


def first_change(zone: tzinfo, *, after: datetime, until: datetime) -> datetime | None:
    """The first instant of a new offset from UTC, to the second; both bounds are in UTC.

    Looks once a day: no zone changes its offset and back within one.
    """
    offset = after.astimezone(zone).utcoffset()
    while after < until:
        following = min(after + DAY, until)
        if following.astimezone(zone).utcoffset() != offset:
            return _bisected(zone, after, following)
        after = following
    return None


def _bisected(zone: tzinfo, low: datetime, high: datetime) -> datetime:
    offset = low.astimezone(zone).utcoffset()
    while high - low > SECOND:
        middle = low + (high - low) // SECOND // 2 * SECOND
        if middle.astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return high
