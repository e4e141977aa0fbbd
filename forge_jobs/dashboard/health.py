"""How the job database and the processes are at this moment."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import db
from forge_jobs.conf import conf
from forge_jobs.db.sqlite import versions
from forge_jobs.models import DatabaseGauge, Lease, Process
from forge_jobs.models.lease import SERVICES


@dataclass(frozen=True, kw_only=True)
class ProcessHealth:
    """A process and how long ago it was heard of."""

    row: Process
    age: timedelta
    is_live: bool
    leads: bool


@dataclass(frozen=True, kw_only=True)
class Health:
    """`gauge` is the latest of the database; None until a leader has taken one.

    `fault` is what is known to be wrong with this version of the database, in a few sentences.
    """

    database: str
    version: str
    latency: timedelta
    gauge: DatabaseGauge | None
    processes: Sequence[ProcessHealth]
    fault: str = ""

    @property
    def dead_percent(self) -> float | None:
        """Of the row versions in the job table, which part is dead; PostgreSQL's alone."""
        gauge = self.gauge
        if gauge is None or gauge.dead_tuples is None or gauge.live_tuples is None:
            return None
        return 100 * gauge.dead_tuples / max(1, gauge.dead_tuples + gauge.live_tuples)

    @classmethod
    def read(cls, *, now: datetime) -> Health:
        began = time.perf_counter()
        gauge = (
            DatabaseGauge.objects.filter(at__lte=now + conf().process_timeout)
            .order_by("-at")
            .first()
        )
        latency = timedelta(seconds=time.perf_counter() - began)
        leader = Lease.objects.holder(SERVICES, now=now)
        rows = list(Process.objects.order_by("host", "name"))
        processes = [
            ProcessHealth(
                row=row,
                age=max(timedelta(0), now - row.heartbeat_at),
                is_live=row.is_live(now=now),
                leads=row.pk == leader,
            )
            for row in rows
        ]
        connection = db.connection()
        return cls(
            database=connection.display_name,
            version=".".join(map(str, connection.get_database_version())),
            latency=latency,
            gauge=gauge,
            processes=processes,
            fault=_fault(connection),
        )


def _fault(connection: BaseDatabaseWrapper) -> str:
    if connection.vendor != "sqlite" or not (fault := versions.wal_reset_fault()):
        return ""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA journal_mode")
        is_concerned = cursor.fetchone() == ("wal",)
    return f"{fault.text} {fault.remedy}" if is_concerned else ""
