"""Walks finished jobs of several queues or kinds in the order in which they ended.

An index has those of each one in that order, but not of all. So the walk looks at one stretch of
time after the other, each as long as it may be without too many jobs in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import BooleanField, ExpressionWrapper, Q, Value

from forge_jobs.dashboard.order import FETCH, FIRST_FETCH, LATEST, Order, Place, Step
from forge_jobs.models.job_filters import EPOCH
from forge_jobs.models.job_queryset import JobQuerySet

WIDTH: Final = timedelta(seconds=10)
NARROWEST: Final = timedelta(milliseconds=1)
"""Shorter is no stretch, however many ended in it."""
LARGEST: Final = 5_000
"""How many jobs may be in a stretch."""
WIDEST: Final = 4_096
NARROWER: Final = 8

Stretch = tuple[datetime, JobQuerySet, int]
"""Its farther end, the jobs in it, and how many of them there are."""

LAST_FINISHED: Final = Order(("-finished_at", "-id"))


@dataclass(frozen=True, kw_only=True)
class Endings:
    """`jobs` are finished; `of_kind` is what their index knows, `fits` what it does not.

    `first` is how many are fetched at first.
    """

    jobs: JobQuerySet
    since: datetime | None = None
    until: datetime | None = None
    of_kind: Q | None = None
    fits: Q | None = None
    first: int = FIRST_FETCH

    def walk(self, *, start: Place | None, is_backward: bool, now: datetime) -> Iterator[Step]:
        if is_backward and start is not None:
            for _, jobs, count in self._later(start):
                yield from self._stretch(jobs, ("finished_at", "id"), "gt", count)
        else:
            for _, jobs, count in self._earlier(start, now=now):
                yield from self._stretch(jobs, ("-finished_at", "-id"), "lt", count)

    def reach(self, number: int, *, now: datetime) -> datetime:
        """A moment since which so many have ended, and few more; if there are less, the first."""
        for after, _, count in self._earlier(None, now=now):
            number -= count
            if number <= 0:
                return after
        return self.since or EPOCH

    def _earlier(self, start: Place | None, *, now: datetime) -> Iterator[Stretch]:
        """What ended later than now is in the first."""
        edge = start[0] if start else min(now, self.until or now)
        return self._stretches(edge, self.since or EPOCH, near=self.until, start=start, way="lt")

    def _later(self, start: Place) -> Iterator[Stretch]:
        edge = max(start[0], self.since or EPOCH)
        return self._stretches(edge, self.until or LATEST, near=edge, start=start, way="gt")

    def _stretches(
        self,
        edge: datetime,
        end: datetime,
        *,
        near: datetime | None,
        start: Place | None,
        way: str,
    ) -> Iterator[Stretch]:
        nearer, sign = (max, -1) if way == "lt" else (min, 1)
        far, width = None, WIDTH
        while far != end:
            far = nearer(_shifted(edge, sign * width), end)
            since, until = (far, near) if way == "lt" else (near, far)
            jobs = self.jobs.filter(Q(finished_at__gte=since), _until(until), _beyond(start, way))
            count, long = _count(jobs), sign * (far - edge)
            if count > LARGEST and long > NARROWEST:
                far, width = None, long / NARROWER
                continue
            yield far, jobs, count
            edge = near = far
            width = _wider(width, count)

    def _stretch(
        self, jobs: JobQuerySet, order: tuple[str, str], way: str, count: int
    ) -> Iterator[Step]:
        """One stretch; of the jobs of other kinds in it, only the last and how many they are."""
        if not count:
            return
        expression = ExpressionWrapper(self.fits or Value(True), BooleanField())
        ordered: Any = jobs.annotate(fits=expression).order_by(*order)
        sought = ordered.filter(self.of_kind or Q())
        place, size, found = None, self.first, 0
        while True:
            rows = sought.filter(_beyond(place, way)).values_list("finished_at", "id", "fits")
            steps = [Step(row[:-1], row[-1]) for row in rows[:size]]
            yield from steps
            found += len(steps)
            if len(steps) < size:
                break
            place, size = steps[-1].place, FETCH
        if self.of_kind is not None and count > found:
            last = ordered.reverse().values_list("finished_at", "id")[:1]
            yield from (Step(place, False, count - found) for place in last)


def _count(jobs: JobQuerySet) -> int:
    return int(jobs.order_by()[: LARGEST + 1].count())


def _wider(width: timedelta, count: int) -> timedelta:
    """How long the next stretch may be, after so many jobs in one that was to be so long."""
    times = min(WIDEST, max(1, LARGEST // max(1, count)))
    return min(width, (LATEST - EPOCH) / WIDEST) * times


def _until(moment: datetime | None) -> Q:
    return Q() if moment is None else Q(finished_at__lt=moment)


def _beyond(place: Place | None, way: str) -> Q:
    """The first of these is what an index can go by."""
    if place is None:
        return Q()
    moment, number = place
    bound = Q((f"finished_at__{way}e", moment))
    return bound & (Q((f"finished_at__{way}", moment)) | Q((f"id__{way}", number)))


def _shifted(moment: datetime, by: timedelta) -> datetime:
    """Within the moments that there are."""
    return moment + min(max(by, EPOCH - moment), LATEST - moment)
