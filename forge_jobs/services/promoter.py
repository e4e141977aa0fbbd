"""Finds concurrency keys that are free while jobs wait for them."""

import time
from datetime import datetime, timedelta
from typing import Final

from forge_jobs.models import Job
from forge_jobs.services.base import Service
from forge_jobs.services.horizon import Horizon

REST_SHARE: Final = 10
"""It rests for at least so many times as long as a look took."""


class Promoter(Service):
    """Whoever frees a key passes it on; this is for those that died in between."""

    interval = timedelta(seconds=5)

    def __init__(self, horizon: Horizon | None = None) -> None:
        self._horizon = horizon or Horizon()
        self._took = 0.0

    def run_once(self, *, now: datetime) -> int:
        if not self._horizon.look(self).has_blocked:
            return 0
        began = time.monotonic()
        keys = Job.objects.stalled_keys()
        self._took = time.monotonic() - began
        return Job.objects.promote(keys)

    def rest(self, *, now: datetime) -> timedelta:
        """Longer where there are so many keys that looking takes long."""
        return max(self.interval, timedelta(seconds=REST_SHARE * self._took))
