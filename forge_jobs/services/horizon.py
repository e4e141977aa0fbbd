"""When something will be due next, known to all services that go by it."""

import time
from datetime import timedelta
from typing import Final

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.db import signs
from forge_jobs.wake import local

FRESH_SECONDS: Final = 0.05

SURE_REST: Final = timedelta(seconds=5)
"""How long those may rest to whom nothing is due, where they are told of what comes."""

TOLD_SECONDS: Final = 1.5
"""Longer than it takes until it is told again."""


class Horizon:
    """Whoever leads is told with the news, once a second; where nobody tells, it is asked for.

    What one has asked for, the others may go by: once, and if they run right afterwards.
    """

    def __init__(self) -> None:
        self._told: tuple[signs.Horizon, float] | None = None
        self._seen: dict[object, tuple[signs.Horizon, float]] = {}
        self._askers: set[object] = set()

    def tell(self, seen: signs.Horizon) -> None:
        """What there is now; if it differs from before, services look at once."""
        before, self._told = self._told, (seen, time.monotonic())
        if before is None or before[0] != seen:
            local.ring(local.DUE)

    def look(self, asker: object) -> signs.Horizon:
        if (told := self._told) and self._is_told():
            return told[0]
        self._askers.add(asker)
        seen, at = self._seen.pop(asker, (None, 0.0))
        if seen is None or time.monotonic() - at > FRESH_SECONDS:
            with db.connection().cursor() as cursor:
                seen = db.twin().horizon(cursor)
            moment = time.monotonic()
            self._seen = dict.fromkeys(self._askers - {asker}, (seen, moment))
        return seen

    def rest(self, *, at_most: timedelta) -> timedelta:
        """How long services may rest that are woken by the bell, where it rings; else `at_most`."""
        return min(SURE_REST, conf().lease / 2) if self._is_told() else at_most

    def look_again(self, asker: object) -> signs.Horizon:
        """For whoever has just changed what was seen."""
        self.move_on()
        return self.look(asker)

    def move_on(self) -> None:
        """Forget what was told: it is so no more."""
        self._told = None

    def _is_told(self) -> bool:
        told = self._told
        return told is not None and time.monotonic() - told[1] <= TOLD_SECONDS
