"""What an operator sees of pools: their children, what they run, and why earlier ones are gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import Count, F, Q, Sum, Window
from django.db.models.functions import RowNumber
from django.utils.functional import Promise

from forge_jobs.models import Child, ChildEnd, ChildRestart, Process

SHOWN_CHILDREN: Final = 5
LONGEST_MEMORY: Final = timedelta(days=7)
"""For how long a pool is told of that has lost children, and has none."""

Replaced = tuple[str | Promise, int]
"""For what reason, and how many."""


@dataclass(frozen=True, kw_only=True)
class PoolLine:
    """All children of one kind, whichever process they belong to."""

    kind: str
    children: int = 0
    busy: int = 0
    jobs_done: int = 0
    rss_bytes: int = 0
    replaced: list[Replaced] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Offspring:
    """The children of one process: the first of them, those that run a job before others."""

    shown: Sequence[Child] = ()
    more: int = 0


def pools(*, now: datetime) -> list[PoolLine]:
    """By kind."""
    sums = {"busy": Count("job_id"), "done": Sum("jobs_done"), "rss": Sum("rss_bytes")}
    known = Child.objects.filter(process__in=Process.objects.all())
    rows = known.order_by("kind").values_list("kind").annotate(Count("pk"), **sums)
    lines = {
        kind: PoolLine(kind=kind, children=children, busy=busy, jobs_done=done, rss_bytes=rss)
        for kind, children, busy, done, rss in rows
    }
    told = Q(kind__in=lines) | Q(last_at__gte=now - LONGEST_MEMORY)
    for row in ChildRestart.objects.filter(told).order_by("-times", "reason"):
        line = lines.setdefault(row.kind, PoolLine(kind=row.kind))
        line.replaced.append((_label(row.reason), row.times))
    return [lines[kind] for kind in sorted(lines)]


def offspring() -> Mapping[int, Offspring]:
    """Of each process that has children."""
    first: list[Any] = [F("job_id").asc(nulls_last=True), "kind", "pid"]
    children = Child.objects.annotate(
        place=Window(RowNumber(), partition_by=F("process"), order_by=first),
        siblings=Window(Count("pk"), partition_by=F("process")),
    )
    shown: defaultdict[int, list[Any]] = defaultdict(list)
    for child in children.filter(place__lte=SHOWN_CHILDREN).order_by("process", "place"):
        shown[child.process_id].append(child)
    return {
        process: Offspring(shown=own, more=own[0].siblings - len(own))
        for process, own in shown.items()
    }


def _label(reason: str) -> str | Promise:
    """Of a release to come there may be others."""
    return ChildEnd(reason).label if reason in ChildEnd.values else reason
