"""Deletes gates and batches of which no job is left."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from django.db import transaction

from forge_jobs import db
from forge_jobs.models import Batch, Gate, Predecessor
from forge_jobs.services.base import Service

KEPT: Final = timedelta(days=7)
"""For how long after its end a batch is kept without jobs."""

BATCH: Final = 1_000
LARGEST_PASS: Final = 10_000
"""How many gates one pass deletes, so that other services have their turn."""


class SetPruner(Service):
    """For what holds jobs together what the pruner is for jobs."""

    interval = timedelta(minutes=5)

    def __init__(self) -> None:
        self._has_more = False

    def run_once(self, *, now: datetime) -> int:
        deleted = 0
        while deleted < LARGEST_PASS:
            gates = list(Gate.objects.abandoned().values_list("pk", flat=True)[:BATCH])
            if gates:
                deleted += db.unless_locked(partial(_delete_gates, gates))
            if len(gates) < BATCH:
                break
        self._has_more = deleted >= LARGEST_PASS
        empty = Batch.objects.deserted().filter(ended_at__lt=now - KEPT)
        batches = list(empty.values_list("pk", flat=True)[:BATCH])
        if batches:
            deleted += Batch.objects.filter(pk__in=batches)._raw_delete(db.connection().alias)
        return deleted

    def rest(self, *, now: datetime) -> timedelta:
        return timedelta(0) if self._has_more else self.interval


def _delete_gates(gates: list[int]) -> int:
    alias = db.connection().alias
    with transaction.atomic(using=alias):
        Predecessor.objects.filter(gate__in=gates)._raw_delete(alias)
        return Gate.objects.filter(pk__in=gates)._raw_delete(alias)
