"""What an operator sees of each process: whether it lives, what it runs, and what ails it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Window
from django.db.models.functions import RowNumber
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forge_jobs.conf import conf
from forge_jobs.dashboard.children import Offspring, PoolLine, offspring, pools
from forge_jobs.dashboard.verdict import bounded
from forge_jobs.models import Job, Lease, Process, ProcessGauge, ProcessState
from forge_jobs.models.lease import SERVICES
from forge_jobs.operations.status import unserved

SHOWN_JOBS: Final = 5
MISSED_BEATS: Final = 2
"""After so many a process is late."""

PULSES: Final[dict[str, str | Promise]] = {
    "live": _("live"),
    "late": _("late"),
    "silent": _("silent"),
}


@dataclass(frozen=True, kw_only=True)
class ProcessCard:
    """`jobs` are the first of those that it has claimed, `claimed` counts all of them."""

    row: Process
    at: datetime
    leads: bool
    jobs: Sequence[Job]
    claimed: int
    cpu_percent: float | None = None
    offspring: Offspring = field(default_factory=Offspring)
    buttons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def pulse(self) -> str:
        silence = self.at - self.row.heartbeat_at
        if not self.row.is_live(now=self.at):
            return "silent"
        return "late" if silence > MISSED_BEATS * conf().heartbeat else "live"

    @property
    def pulse_label(self) -> str | Promise:
        return PULSES[self.pulse]

    @property
    def tone(self) -> str:
        """What the card's colour says."""
        if self.pulse == "silent" or self.row.trouble:
            return "trouble"
        if self.pulse == "late":
            return "late"
        return "live" if self.row.state == ProcessState.RUNNING else self.row.state

    @property
    def wish(self) -> str:
        """What was asked of it, until it has done so."""
        asked: str = self.row.requested_state
        return asked if asked != self.row.state else ""

    @property
    def more(self) -> int:
        return self.claimed - len(self.jobs)

    @property
    def age(self) -> timedelta:
        return self.at - self.row.started_at


@dataclass(frozen=True, kw_only=True)
class Fleet:
    cards: Sequence[ProcessCard]
    troubles: Sequence[str]
    pools: Sequence[PoolLine]

    @classmethod
    def read(cls, *, now: datetime) -> Fleet:
        leader = Lease.objects.holder(SERVICES, now=now)
        jobs, load = _first_jobs(), _load(now=now)
        children = offspring()
        return cls(
            cards=[
                ProcessCard(
                    row=row,
                    at=now,
                    leads=row.pk == leader,
                    jobs=jobs[row.pk],
                    claimed=jobs[row.pk][0].claimed if jobs[row.pk] else 0,
                    cpu_percent=load.get((row.host, row.name)),
                    offspring=children.get(row.pk, Offspring()),
                )
                for row in Process.objects.order_by("host", "name")
            ],
            pools=pools(now=now),
            troubles=bounded([str(nobody) for nobody in unserved(now=now)]),
        )


def _first_jobs() -> dict[int, list[Any]]:
    """Of each process, the jobs that began first; each knows how many there are."""
    running = Job.objects.running().annotate(
        place=Window(RowNumber(), partition_by=F("process"), order_by=["started_at", "pk"]),
        claimed=Window(Count("pk"), partition_by=F("process")),
    )
    jobs: dict[int, list[Any]] = defaultdict(list)
    shown = running.filter(place__lte=SHOWN_JOBS).order_by("process", "place")
    for job in shown.only("kind", "queue", "process", "started_at"):
        jobs[job.process_id].append(job)
    return jobs


def _load(*, now: datetime) -> dict[tuple[str, str], float]:
    """What each process, by host and name, used of a core when it was last measured."""
    timeout = conf().process_timeout
    recent = ProcessGauge.objects.filter(at__range=(now - timeout, now + timeout)).order_by("at")
    rows = recent.values_list("host", "process_name", "cpu_percent")
    return {(host, name): percent for host, name, percent in rows}
