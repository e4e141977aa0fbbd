"""What an operator sees of each batch: how far it is, how its jobs fare, and when it may end."""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, NamedTuple

from django.db.models import Count

from forge_jobs.dashboard.kin import Kin, comes_before
from forge_jobs.dashboard.paging import Paged, sought
from forge_jobs.models import Batch, BatchState, Job, State
from forge_jobs.states import TERMINAL

PAGE: Final = 20
PARTS: Final = 20
SLOW: Final = 0.02
"""From so many seconds on, what was counted is remembered for a while."""
REST_SHARE: Final = 20
"""It is counted anew after so many times as long as counting took."""

ORDER: Final = (
    State.SUCCEEDED,
    State.DEAD,
    State.CANCELLED,
    State.RUNNING,
    State.RETRYING,
    State.READY,
    State.BLOCKED,
    State.SCHEDULED,
    State.HELD,
)


class Stretch(NamedTuple):
    """A state's part of the bar, in per mille of its length."""

    state: State
    start: float
    length: float


class Parts(NamedTuple):
    total: int
    ended: int


@dataclass(frozen=True, kw_only=True)
class BatchLine:
    row: Batch
    counts: Mapping[str, int]
    parts: Parts
    at: datetime
    buttons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def states(self) -> list[tuple[State, int]]:
        return [(state, self.counts[state]) for state in ORDER if self.counts.get(state)]

    @property
    def may_have_failed(self) -> bool:
        """Whether there is a job to requeue, as far as one sees without a look at its parts."""
        return bool(self.parts.total or {State.DEAD, State.CANCELLED} & self.counts.keys())

    @property
    def percent(self) -> int:
        """How much of its jobs and parts has ended; all of it only when it has ended."""
        if self.row.has_ended:
            return 100
        all_in_all = self.total + self.parts.total
        return min(99, 100 * self._done // all_in_all) if all_in_all else 0

    @property
    def stretches(self) -> Iterator[Stretch]:
        start = 0.0
        for state, count in self.states:
            length = 1000 * count / self.total
            yield Stretch(state, round(start, 2), round(length, 2))
            start += length

    @property
    def ends_at(self) -> datetime | None:
        """If it goes on at the pace so far; None while nobody can tell."""
        left = self.total + self.parts.total - self._done
        if self.row.state != BatchState.SEALED or not (left and self._done):
            return None
        return self.at + (self.at - self.row.opened_at) * left / self._done

    @property
    def _done(self) -> int:
        return sum(self.counts.get(state, 0) for state in TERMINAL) + self.parts.ended


@dataclass(frozen=True, kw_only=True)
class BatchPage:
    line: BatchLine
    parent: Batch | None
    followers: Kin
    parts: list[BatchLine]
    has_more_parts: bool

    @classmethod
    def read(cls, batch: Batch, *, now: datetime) -> BatchPage:
        parts = list(Batch.objects.filter(parent=batch.pk).order_by("-pk")[: PARTS + 1])
        line, *others = lines([batch, *parts[:PARTS]], now=now)
        return cls(
            line=line,
            parent=Batch.objects.filter(pk=batch.parent_id).first() if batch.parent_id else None,
            followers=comes_before(batch),
            parts=others,
            has_more_parts=len(parts) > PARTS,
        )


def read(*, now: datetime, words: str = "", state: str = "", page: str = "") -> Paged[BatchLine]:
    """The newest first; `words` are sought in names."""
    rows: Any = Batch.objects.order_by("-pk")
    if state in BatchState.values:
        rows = rows.filter(state=state)
    if text := sought(words):
        rows = rows.filter(name__icontains=text)
    shown: Paged[Any] = Paged.of(rows, size=PAGE, page=page)
    return shown.showing(lines(shown.rows, now=now))


def lines(batches: Collection[Batch], *, now: datetime) -> list[BatchLine]:
    counts = _counts([batch.pk for batch in batches if batch.counts is None])
    parts = _parts([batch.pk for batch in batches])
    return [
        BatchLine(
            row=batch,
            counts=counts[batch.pk] if batch.counts is None else batch.counts,
            parts=parts.get(batch.pk, Parts(0, 0)),
            at=now,
        )
        for batch in batches
    ]


class _Counted(NamedTuple):
    counts: Mapping[int, Mapping[str, int]]
    good_until: float


_counted: dict[tuple[int, ...], _Counted] = {}
"""Of large batches: whoever polls every second must not keep the database counting."""


def _counts(batches: list[int]) -> Mapping[int, Mapping[str, int]]:
    began = time.monotonic()
    if (known := _counted.get(tuple(batches))) and began < known.good_until:
        return known.counts
    for stale in [key for key, one in list(_counted.items()) if one.good_until <= began]:
        _counted.pop(stale, None)
    counts: defaultdict[int, Counter[str]] = defaultdict(Counter)
    rows = Job.objects.filter(batch__in=batches).order_by().values_list("batch_id", "state")
    for batch, state, count in rows.annotate(Count("pk")):
        counts[batch][state] = count
    took = time.monotonic() - began
    if took > SLOW:
        _counted[tuple(batches)] = _Counted(counts, began + took * REST_SHARE)
    return counts


def _parts(batches: list[int]) -> Mapping[int, Parts]:
    rows = Batch.objects.filter(parent__in=batches).order_by().values_list("parent_id")
    counted = rows.annotate(Count("pk"), Count("ended_at"))
    return {parent: Parts(total, ended) for parent, total, ended in counted}
