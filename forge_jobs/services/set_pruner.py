"""Deletes gates and batches of which no job is left."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction

from forge_jobs import db
from forge_jobs.models import Batch, Gate, Predecessor
from forge_jobs.services.base import Service
from forge_jobs.services.pace import Pace

KEPT: Final = timedelta(days=7)
"""For how long after its end a batch is kept without jobs."""

BATCH: Final = 1_000
LARGEST_PASS: Final = 10_000
"""How many gates one pass deletes, so that other services have their turn."""


class SetPruner(Service):
    """For what holds jobs together what the pruner is for jobs."""

    interval = timedelta(minutes=5)

    def __init__(self) -> None:
        self._pace = Pace()
        self._rest = self.interval

    def run_once(self, *, now: datetime) -> int:
        deleted, most = 0, BATCH if self._pace.begin() else LARGEST_PASS
        while deleted < most:
            gates = list(Gate.objects.abandoned().values_list("pk", flat=True)[:BATCH])
            if gates:
                deleted += db.unless_locked(partial(_delete_gates, gates))
            if len(gates) < BATCH:
                break
        self._rest = self._pace.rest(after=deleted) if deleted >= most else self.interval
        empty = Batch.objects.deserted().filter(ended_at__lt=now - KEPT)
        batches = list(empty.values_list("pk", flat=True)[:BATCH])
        if batches:
            deleted += Batch.objects.filter(pk__in=batches)._raw_delete(db.connection().alias)
        return deleted

    def rest(self, *, now: datetime) -> timedelta:
        return self._rest


def _delete_gates(gates: list[int]) -> int:
    alias = db.connection().alias
    with transaction.atomic(using=alias):
        Predecessor.objects.filter(gate__in=gates)._raw_delete(alias)
        return Gate.objects.filter(pk__in=gates)._raw_delete(alias)
