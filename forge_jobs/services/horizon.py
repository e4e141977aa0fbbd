"""When something will be due next, asked once for all services that go by it."""

import time
from typing import Final

from forge_jobs import db
from forge_jobs.db import rows

FRESH_SECONDS: Final = 0.05


class Horizon:
    """What one has seen, the others may go by: once, and if they run right afterwards."""

    def __init__(self) -> None:
        self._seen: dict[object, tuple[rows.Horizon, float]] = {}
        self._askers: set[object] = set()

    def look(self, asker: object) -> rows.Horizon:
        self._askers.add(asker)
        seen, at = self._seen.pop(asker, (None, 0.0))
        if seen is None or time.monotonic() - at > FRESH_SECONDS:
            with db.connection().cursor() as cursor:
                seen = db.twin().horizon(cursor)
            moment = time.monotonic()
            self._seen = dict.fromkeys(self._askers - {asker}, (seen, moment))
        return seen
