"""What operators do to many jobs at once: choose them, see how many there are, act."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db.models import Value
from django.db.models.functions import Left, StrIndex

from forge_jobs.models import Job, State
from forge_jobs.models.base import constants
from forge_jobs.models.job_queryset import JobQuerySet
from forge_jobs.states import TERMINAL, UNFINISHED

EVERYTHING_AFTER: Final = "*"


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which jobs are meant: those in one of the states that fit everything that is not None.

    `kind` may end with a `*`, then it is a prefix. `older_than` and `newer_than` go by when a job
    finished, or when it was enqueued if it has not. `error` is a part of the last error.
    """

    states: Collection[State]
    ids: Collection[int] | None = None
    queue: str | None = None
    kind: str | None = None
    older_than: timedelta | None = None
    newer_than: timedelta | None = None
    error: str | None = None

    def finished(self, *, now: datetime) -> JobQuerySet:
        jobs = self._aged(Job.objects.finished(), "finished_at", now=now)
        return self._narrowed(jobs).filter(state__in=constants(self.states))

    def unfinished(self, *, now: datetime) -> JobQuerySet:
        jobs = self._aged(Job.objects.unfinished(), "enqueued_at", now=now)
        return self._narrowed(jobs).filter(state__in=constants(self.states))

    def left_out(self) -> list[str]:
        """Which ids were given in vain, each with the reason."""
        states = dict(Job.objects.filter(pk__in=self.ids or ()).values_list("pk", "state"))
        meant = {pk for pk, state in states.items() if state in self.states}
        return [f"#{pk} ({states.get(pk, 'no such job')})" for pk in sorted({*(self.ids or ())} - meant)]

    def _aged(self, jobs: JobQuerySet, moment: str, *, now: datetime) -> JobQuerySet:
        if self.older_than is not None:
            jobs = jobs.filter(**{f"{moment}__lt": now - self.older_than})
        if self.newer_than is not None:
            jobs = jobs.filter(**{f"{moment}__gt": now - self.newer_than})
        return jobs

    def _narrowed(self, jobs: JobQuerySet) -> JobQuerySet:
        """To what never changes; not by LIKE, which on SQLite takes `a` for `A`."""
        if self.ids is not None:
            jobs = jobs.filter(pk__in=self.ids)
        if self.queue is not None:
            jobs = jobs.filter(queue=self.queue)
        if self.kind is not None and self.kind.endswith(EVERYTHING_AFTER):
            prefix = self.kind.removesuffix(EVERYTHING_AFTER)
            jobs = jobs.alias(prefix=Left("kind", len(prefix))).filter(prefix=prefix)
        elif self.kind is not None:
            jobs = jobs.filter(kind=self.kind)
        if self.error is not None:
            jobs = jobs.alias(place=StrIndex("last_error", Value(self.error))).filter(place__gt=0)
        return jobs
