"""When a schedule is due: cron expressions and intervals, true to a zone's changes of the clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cached_property
from typing import Final

from forge_jobs.cron.fields import BadExpression
from forge_jobs.cron.intervals import every_of, written
from forge_jobs.cron.reading import NeverDue, Reading, reading_of
from forge_jobs.cron.zones import DAY, SECOND, first_change, furthest_wall, instant_of, wall_time

__all__ = ["BadExpression", "Cron", "written"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
CHANGE: Final = 3 * DAY
"""Longer than any change of a clock, the day between two dates and another day."""


@dataclass(frozen=True)
class Cron:
    """An expression in a zone; one that can't be read raises `BadExpression`.

    Five fields, six with seconds first, `@hourly` and the like, or `@every 1h30m`. An expression
    whose seconds, minutes or hours begin with a `*` follows elapsed time: it is due whenever the
    wall shows a time that fits, as often as it does. Others are due once for each time that fits,
    though the clock skips it (then right after the jump) or shows it twice (then at first). The
    rule is that of Debian's cron 3.0pl1, except that the times of one jump are one due moment.
    """

    expression: str
    zone: tzinfo = UTC

    def __post_init__(self) -> None:
        if self._every is None:
            reading_of(self.expression)

    def after(self, moment: datetime) -> datetime | None:
        """The next due moment, in UTC and strictly later; None if there is none any more."""
        start = moment.astimezone(UTC).replace(microsecond=0)
        try:
            if self._every is not None:
                return start + self._every - (start - EPOCH) % self._every
            if self.has_fixed_times:
                return self._fixed_after(start)
            return self._elapsing_after(start)
        except (NeverDue, OverflowError):
            return None

    def latest(self, count: int, *, after: datetime, until: datetime) -> list[datetime]:
        """The newest due moments in (after, until], at most `count`, in their order."""
        found: list[datetime] = []
        after, until = (bound.astimezone(UTC).replace(microsecond=0) for bound in (after, until))
        while len(found) < count and (due := self._last(after=after, until=until)):
            found.append(due)
            until = due - SECOND
        return found[::-1]

    def in_words(self) -> str:
        """What the expression means, for people."""
        from forge_jobs.cron import words

        if self._every is not None:
            return words.interval(self._every)
        return words.sentence(self._reading)

    @property
    def has_fixed_times(self) -> bool:
        """Whether it is due once for each time on the wall that fits, whatever the clock does."""
        return self._every is None and not self._reading.follows_time

    @cached_property
    def _every(self) -> timedelta | None:
        return every_of(self.expression)

    @cached_property
    def _reading(self) -> Reading:
        return reading_of(self.expression)

    def _elapsing_after(self, moment: datetime) -> datetime:
        """From one change of the clock to the next; at its first instant the new offset holds."""
        since, wall = moment, wall_time(moment, self.zone)
        while True:
            due = moment + (self._reading.after(wall) - wall)
            change = first_change(self.zone, after=since, until=min(due, since + CHANGE))
            if change is not None:
                since = change
                moment, wall = change - SECOND, wall_time(change, self.zone) - SECOND
            elif due <= since + CHANGE:
                return due
            else:
                # What a change on the way shows again does not fit either.
                moment = since = due - CHANGE
                wall = wall_time(moment, self.zone)

    def _fixed_after(self, moment: datetime) -> datetime:
        wall = furthest_wall(moment, self.zone)
        while True:
            wall = self._reading.after(wall)
            if (due := instant_of(wall, self.zone)) > moment:
                return due

    def _last(self, *, after: datetime, until: datetime) -> datetime | None:
        """The newest due moment in (after, until]: look ever further back, then halve."""
        low = high = until
        span = SECOND
        while (due := self.after(low)) is None or due > until:
            if low <= after:
                return None
            low, high = max(after, low - span), low
            span *= 2
        while (following := self.after(due)) and following <= until:
            middle = following + (high - following) // SECOND // 2 * SECOND
            later = self.after(middle)
            if later and later <= until:
                due = later
            else:
                due, high = following, middle
        return due
