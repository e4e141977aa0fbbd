"""When a drain is over: nothing runs here, and nothing is left to claim or to set free."""

from __future__ import annotations

from contextlib import AbstractContextManager
from threading import Event
from typing import Final

from forge_jobs import clock
from forge_jobs.runtime.claiming.claims import Claims
from forge_jobs.runtime.claiming.lanes import Lanes
from forge_jobs.runtime.claiming.room import Room
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.outage import ride_out
from forge_jobs.services.gatekeeper import Gatekeeper

DRAINED: Final = "drained"


class Draining:
    """Asked before and after each round of claims of a process that is to stop in the end."""

    def __init__(
        self,
        *,
        lanes: Lanes,
        room: Room,
        claims: Claims,
        lifecycle: Lifecycle,
        writing: AbstractContextManager[object],
        stopping: Event,
    ) -> None:
        self._lanes = lanes
        self._room = room
        self._claims = claims
        self._lifecycle = lifecycle
        self._writing = writing
        self._stopping = stopping
        self._gatekeeper = Gatekeeper()  # with a horizon that nobody told a second ago
        self._had_nothing = self._had_room = self._found_nothing = self._is_last_look = False

    def begin_round(self) -> None:
        """Look at all queues, if nothing ran at the last round either, and nothing was found."""
        self._had_nothing = not self._claims
        self._is_last_look = self._had_nothing and self._found_nothing
        if self._is_last_look:
            self._lanes.look_last()
        # Without any, that nothing is claimed means nothing.
        self._had_room = self._room.for_threads() > 0

    def goes_on(self, *, taken: int) -> bool:
        """Whether the next round is to follow at once; if there is to be none, all is stopped."""
        self._found_nothing = not taken
        if taken or not self._had_nothing:
            return False
        if not self._is_last_look:
            return True
        if not self._had_room or self._lanes.with_work():
            return False
        if not ride_out(self._set_free, doing="opening gates", stopping=self._stopping):
            self._lifecycle.request_stop(DRAINED)
            self._stopping.set()
        return True

    def _set_free(self) -> int:
        """Let those go that wait for what has ended; how many rows that changed."""
        with self._writing:
            return self._gatekeeper.run_once(now=clock.now())
