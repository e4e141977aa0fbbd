"""What an operator sees of pools: their children, what they run, and why earlier ones are gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from django.utils.functional import Promise

from forge_jobs.models import Child, ChildEnd, ChildRestart, Process

SHOWN_CHILDREN: Final = 5

Replaced = tuple[str | Promise, int]
"""For what reason, and how many."""


@dataclass(kw_only=True)
class PoolLine:
    """All children of one kind, whichever process they belong to."""

    kind: str
    children: int = 0
    busy: int = 0
    jobs_done: int = 0
    rss_bytes: int = 0
    replaced: list[Replaced] = field(default_factory=list)

    def add(self, child: Child) -> None:
        self.children += 1
        self.busy += child.job_id is not None
        self.jobs_done += child.jobs_done
        self.rss_bytes += child.rss_bytes


@dataclass(frozen=True, kw_only=True)
class Offspring:
    """The children of one process: the first of them, those that run a job before others."""

    shown: Sequence[Child] = ()
    more: int = 0


def pools(children: Sequence[Child]) -> list[PoolLine]:
    """By kind; one that has no child now is there as long as it is known why it has lost some."""
    lines: dict[str, PoolLine] = {}
    for child in children:
        lines.setdefault(child.kind, PoolLine(kind=child.kind)).add(child)
    for row in ChildRestart.objects.order_by("kind", "-times", "reason"):
        line = lines.setdefault(row.kind, PoolLine(kind=row.kind))
        line.replaced.append((_label(row.reason), row.times))
    return [lines[kind] for kind in sorted(lines)]


def children_of(processes: Sequence[Process]) -> list[Child]:
    rows = Child.objects.filter(process__in=processes)
    return sorted(rows, key=lambda one: (one.kind, one.job_id is None, one.pid))


def by_process(children: Sequence[Child]) -> Mapping[int, Offspring]:
    of: defaultdict[int, list[Child]] = defaultdict(list)
    for child in children:
        of[child.process_id].append(child)
    return {
        process: Offspring(shown=own[:SHOWN_CHILDREN], more=len(own[SHOWN_CHILDREN:]))
        for process, own in of.items()
    }


def _label(reason: str) -> str | Promise:
    """Of a release to come there may be others."""
    return ChildEnd(reason).label if reason in ChildEnd else reason
