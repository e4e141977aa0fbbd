"""Judges who is lost by when beats came in here, for the moments they carry are of any clock."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from forge_jobs import clock
from forge_jobs.conf import conf
from forge_jobs.models import Process

MISSED_BEATS: Final = 2
"""Whoever has not listened for longer knows nothing of others' silence."""


class Beat(NamedTuple):
    """What a process last said, and when that was new here, in elapsed seconds."""

    said: datetime
    heard_at: float


class Hearing:
    """What one process hears of all; every process listens, to be able to judge once it leads.

    After an outage of the database everybody has been silent, and whoever was stopped itself has
    heard nobody. So silence counts only for as long as this process has listened without a gap.
    """

    def __init__(self, elapsed: Callable[[], float] = clock.elapsed) -> None:
        self._elapsed = elapsed
        self._beats: dict[int, Beat] = {}
        self._since = self._listened_at = elapsed()

    def listen(self, said: Mapping[int, datetime]) -> None:
        """Hear what every process last said, by its key."""
        moment = self._elapsed()
        if self._has_gap(moment):
            self._since, self._beats = moment, {}
        self._listened_at = moment
        before, self._beats = self._beats, {}
        for pk, last in said.items():
            beat = before.get(pk)
            self._beats[pk] = beat if beat and beat.said == last else Beat(last, moment)

    def can_judge(self) -> bool:
        """Whether others would have been heard by now, if they lived."""
        moment, timeout = self._elapsed(), conf().process_timeout.total_seconds()
        return not self._has_gap(moment) and moment - self._since >= timeout

    def lost(self, *, now: datetime) -> list[Process]:
        """Those of which nothing new was heard for as long as a process may be silent.

        A beat comes in a little after it was made, which is not held against whoever waits for
        the jobs: if it is old enough by its own moment, it may have been heard one beat later.
        """
        moment, timeout = self._elapsed(), conf().process_timeout
        found: list[Process] = []
        for pk, beat in self._beats.items():
            silence = moment - beat.heard_at
            is_old = beat.said < now - timeout
            patience = timeout - conf().heartbeat if is_old else timeout
            if silence >= patience.total_seconds():
                found += Process.objects.filter(pk=pk, heartbeat_at=beat.said)
        return found if self.can_judge() else []

    def _has_gap(self, moment: float) -> bool:
        return moment - self._listened_at > MISSED_BEATS * conf().heartbeat.total_seconds()
