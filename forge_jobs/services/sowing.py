"""Brings what live code declares of schedules into their rows."""

from datetime import datetime
from typing import Final

from forge_jobs.conf import conf
from forge_jobs.models import Process, Schedule, Timetable
from forge_jobs.models.schedule_seed import as_columns
from forge_jobs.schedules import timetable

UNTOLD: Final = ""
"""The timetable of a process of older code, which does not say what it declares."""

PUNCTUAL: Final = 0.9
"""Whoever asks with each heartbeat may do so a little early."""


class Sowing:
    """The leader's part of it, for all: during a deploy the code of others may be newer.

    Looks with each heartbeat whose words stand, and sows when that has changed.
    """

    def __init__(self) -> None:
        self._looked_at: datetime | None = None
        self._standing: list[tuple[int, int]] | None = None

    def begin_anew(self) -> None:
        """Sow in any case: meanwhile somebody else may have done so."""
        self._looked_at = self._standing = None

    def run_once(self, *, now: datetime) -> None:
        if self._looked_at is None:
            Timetable.objects.declare(timetable.seeds(), now=now)
        elif now - self._looked_at < PUNCTUAL * conf().heartbeat:
            return
        self._looked_at = now
        standing = Timetable.objects.keep(now=now)
        if standing != self._standing:
            synchronise(now=now)
            self._standing = standing


def synchronise(*, now: datetime) -> None:
    """Store what live code declares, and disable what none of it does."""
    words = Timetable.objects.words(now=now)
    known = {column.name for column in Schedule._meta.local_concrete_fields}
    Schedule.objects.sow({name: as_columns(seed, known=known) for name, seed in words.items()})
    if not Process.objects.live(now=now).filter(timetable=UNTOLD).exists():
        Schedule.objects.abandon(declared=words.keys())
    Timetable.objects.forget_old(now=now)
