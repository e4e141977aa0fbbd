"""The rows that forge_jobs enqueues, written by the ORM or by bare SQL into the same table."""

import json
from collections.abc import Iterable
from functools import cached_property
from typing import Any

from django.db import connection, transaction
from django.utils import timezone

from benchmarks.contestants.forge_jobs import ForgeJobs

INSERT = """
INSERT INTO forge_jobs_job (queue, kind, payload, state, run_at, max_attempts)
VALUES ('default', 'bench.noop', %s, 'ready', %s, 5)
"""
INSERT_MANY = """
INSERT INTO forge_jobs_job (queue, kind, payload, state, run_at, max_attempts)
SELECT 'default', 'bench.noop', payload, 'ready', now(), 5 FROM unnest(%s::jsonb[]) AS payload
"""


class ByORM(ForgeJobs):
    """`Model.objects.create()` and `bulk_create()`."""

    def enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            self.model.objects.create(**columns({"moment": moment}))

    def enqueue_many(self, count: int) -> None:
        self.model.objects.bulk_create([self.model(**columns({})) for _ in range(count)])

    @cached_property
    def model(self) -> Any:
        from forge_jobs.models import Job

        return Job


class BySQL(ForgeJobs):
    """A cursor of Django's, and `INSERT … SELECT unnest(…)` or `executemany()`."""

    def enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            with connection.cursor() as cursor:
                cursor.execute(INSERT, [json.dumps({"moment": moment}), now()])

    @transaction.atomic
    def enqueue_many(self, count: int) -> None:
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(INSERT_MANY, [["{}"] * count])
            else:
                cursor.executemany(INSERT, [["{}", now()]] * count)


def now() -> Any:
    return connection.ops.adapt_datetimefield_value(timezone.now())


def columns(payload: dict[str, int]) -> dict[str, Any]:
    return {
        "queue": "default",
        "kind": "bench.noop",
        "payload": payload,
        "state": "ready",
        "run_at": timezone.now(),
        "max_attempts": 5,
    }


def contestant(variant: str) -> ForgeJobs:
    return ByORM(variant) if variant == "orm" else BySQL(variant)
