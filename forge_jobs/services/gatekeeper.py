"""Opens the gates that whoever should have done it did not live to open, and ends such batches."""

import time
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from forge_jobs import db
from forge_jobs.models import Batch, Gate
from forge_jobs.models.circles import break_circles
from forge_jobs.models.deciding import over
from forge_jobs.models.following import SLICE, Following
from forge_jobs.services.base import Service
from forge_jobs.services.horizon import Horizon
from forge_jobs.states import BatchState

REST_SHARE: Final = 10
"""It rests for at least so many times as long as a look took."""
STEPS: Final = 50
"""How many slices one pass sees to, so that other services have their turn."""
CIRCLES_EVERY: Final = timedelta(seconds=30)

EXPIRED: Final = "It was open for too long: whoever filled it did not seal it."


class Gatekeeper(Service):
    """Whoever ends a job sees to what comes after it; this is for those that died in between."""

    interval = timedelta(seconds=1)

    def __init__(self, horizon: Horizon | None = None) -> None:
        self._horizon = horizon or Horizon()
        self.is_urgent = False
        """Once nothing is to be kept: the bell rings when that is no longer so."""
        self._took = 0.0
        self._following = Following()
        self._circles_due_at: datetime | None = None
        self._circles_after = 0

    def run_once(self, *, now: datetime) -> int:
        self.is_urgent = not self._following and not self._horizon.look(self).has_followers
        if self.is_urgent:
            return 0
        changed = 0
        for batch in Batch.objects.forgotten(now=now)[:SLICE]:
            changed += _cancel(batch, now=now)
        if not self._following:
            self._break_circles(now=now)
            self._look()
        for _ in range(STEPS):
            if not self._following:
                break
            changed += self._following.step(now=now)
        return changed

    def _look(self) -> None:
        began = time.monotonic()
        self._following = Following(
            batches=Batch.objects.filter(over()).values_list("pk", flat=True)[:SLICE],
            gates={
                *Gate.objects.due().values_list("pk", flat=True)[:SLICE],
                *Gate.objects.hopeless().values_list("pk", flat=True)[:SLICE],
            },
            decided=Gate.objects.undone().values_list("pk", flat=True)[:SLICE],
        )
        self._took = time.monotonic() - began

    def _break_circles(self, *, now: datetime) -> None:
        if self._circles_due_at is None or now >= self._circles_due_at:
            self._circles_due_at = now + CIRCLES_EVERY
            self._circles_after = break_circles(after=self._circles_after) or 0

    def rest(self, *, now: datetime) -> timedelta:
        """Longer where there are so many gates that looking takes long, or none."""
        if self._following:
            return timedelta(0)
        if self.is_urgent:
            return self._horizon.rest(at_most=self.interval)
        return max(self.interval, timedelta(seconds=REST_SHARE * self._took))


def _cancel(batch: Batch, *, now: datetime) -> int:
    """Not one that a transaction fills at this moment: all services would wait for it."""
    with transaction.atomic(using=db.connection().alias):
        open_ones = Batch.objects.filter(
            pk__in=Batch.objects.with_descendants([batch.pk]), state=BatchState.OPEN
        )
        if len(open_ones.lock_free_ones()) < open_ones.count():
            return 0
        for part in open_ones:
            part.seal(now=now)
    return batch.cancel(EXPIRED, now=now)
