"""Walks finished jobs of several queues or kinds in the order in which they ended.

An index has those of each one in that order, but not of all. So the walk looks at a stretch of time
that is short at first, and longer each time it has not found enough: a few looks, however many
queues there are and however many jobs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import BooleanField, ExpressionWrapper, F, Q, Value

from forge_jobs.dashboard.order import FETCH, FIRST_FETCH, LATEST, Order, Place, Step
from forge_jobs.models import Job
from forge_jobs.models.job_filters import EPOCH
from forge_jobs.models.job_queryset import JobQuerySet

WIDTHS: Final = (timedelta(seconds=10), timedelta(hours=1), timedelta(days=7))
"""Then all the time there is."""

LAST_FINISHED: Final = Order(("-finished_at", "-id"))


@dataclass(frozen=True, kw_only=True)
class Endings:
    """`jobs` are finished; `unfinished`, if there are any, come before them, the newest first.

    Unfinished jobs have a place as if they ended at the end of time. `fits` is what no index knows.
    `first` is how many are fetched at first.
    """

    jobs: JobQuerySet
    unfinished: Sequence[JobQuerySet] = ()
    since: datetime | None = None
    until: datetime | None = None
    fits: Q | None = None
    first: int = FIRST_FETCH

    def walk(self, *, start: Place | None, is_backward: bool, now: datetime) -> Iterator[Step]:
        is_among_finished = start is not None and start[0] != LATEST
        if is_backward:
            if is_among_finished:
                yield from self._backward(start or ())
            yield from self._unfinished(start=None if is_among_finished else start, sign="")
        else:
            if not is_among_finished:
                yield from self._unfinished(start=start, sign="-")
            yield from self._forward(start if is_among_finished else None, now=now)

    def _forward(self, start: Place | None, *, now: datetime) -> Iterator[Step]:
        anchor = start[0] if start else min(now, self.until or now)
        before = self.until
        for width in WIDTHS:
            after = _shifted(anchor, -width)
            if self.since and after <= self.since:
                break
            yield from self._stretch(Q(finished_at__gte=after), _until(before), start)
            before = after
        since = Q(finished_at__gte=self.since or EPOCH)
        yield from self._stretch(since, _until(before), start)

    def _backward(self, start: Place) -> Iterator[Step]:
        after = max(start[0], self.since or EPOCH)
        for width in WIDTHS:
            before = _shifted(start[0], width)
            if self.until and before >= self.until:
                break
            yield from self._stretch(
                Q(finished_at__gte=after), _until(before), start, is_backward=True
            )
            after = before
        until = _until(self.until)
        yield from self._stretch(Q(finished_at__gte=after), until, start, is_backward=True)

    def _stretch(
        self, since: Q, until: Q, place: Place | None, *, is_backward: bool = False
    ) -> Iterator[Step]:
        sign, way = ("", "gt") if is_backward else ("-", "lt")
        jobs = self.jobs.filter(since, until).annotate(fits=_said(self.fits))
        jobs = jobs.order_by(f"{sign}finished_at", f"{sign}id")
        size = self.first
        while True:
            beyond = Q() if place is None else _beyond(place, way)
            rows = jobs.filter(beyond).values_list("finished_at", "id", "fits")[:size]
            steps = [Step(row[:-1], row[-1]) for row in rows]
            yield from steps
            if len(steps) < size:
                return
            place, size = steps[-1].place, FETCH

    def _unfinished(self, *, start: Place | None, sign: str) -> Iterator[Step]:
        """By the indexes of their states: by the id itself, all of the table might be read."""
        size = self.first
        while self.unfinished:
            rows = [
                self._beyond_number(jobs, start, way="lt" if sign else "gt")
                for jobs in self.unfinished
            ]
            found: Any = rows[0].union(*rows[1:], all=True).order_by(f"{sign}number")[:size]
            steps = [Step((LATEST, number), fits) for number, fits in found]
            yield from steps
            if len(steps) < size:
                return
            start, size = steps[-1].place, FETCH

    def _beyond_number(self, jobs: JobQuerySet, start: Place | None, *, way: str) -> Any:
        numbered: Any = jobs.order_by().annotate(number=F("id") + 0, fits=_said(self.fits))
        if start is not None:
            numbered = numbered.filter(**{f"number__{way}": start[1]})
        return numbered.values_list("number", "fits")


def unfinished_parts() -> list[JobQuerySet]:
    """All unfinished jobs, in parts of which each has an index."""
    jobs = Job.objects
    return [jobs.ready(), jobs.blocked(), jobs.held(), jobs.running(), jobs.waiting()]


def _said(fits: Q | None) -> Any:
    return ExpressionWrapper(fits or Value(True), BooleanField())


def _until(moment: datetime | None) -> Q:
    return Q() if moment is None else Q(finished_at__lt=moment)


def _beyond(place: Place, way: str) -> Q:
    """The first of these is what an index can go by."""
    moment, number = place
    bound = Q((f"finished_at__{way}e", moment))
    return bound & (Q((f"finished_at__{way}", moment)) | Q((f"id__{way}", number)))


def _shifted(moment: datetime, by: timedelta) -> datetime:
    """Within the moments that there are."""
    return min(max(moment, EPOCH), LATEST - 2 * WIDTHS[-1]) + by
