"""What operators do to many jobs at once: choose them, see what would happen, do it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from django.db.models import Value
from django.db.models.functions import StrIndex

from forge_jobs.models import Job, State
from forge_jobs.models.base import constants
from forge_jobs.models.job_queryset import JobQuerySet
from forge_jobs.states import TERMINAL, UNFINISHED


class Operation(Protocol):
    """Something to do to the jobs of a selection; the sentences have the numbers."""

    allowed: ClassVar[Sequence[State]]
    """In which states jobs can be for it."""
    usual: ClassVar[Sequence[State]]
    """In which they are meant to be, unless told otherwise."""

    @property
    def selection(self) -> Selection: ...

    def preview(self, *, now: datetime) -> str:
        """What would happen; changes nothing."""

    def carry_out(self, *, now: datetime) -> str: ...


@dataclass(frozen=True)
class Retry:
    """Let finished jobs run again."""

    allowed: ClassVar[Sequence[State]] = TERMINAL
    usual: ClassVar[Sequence[State]] = (State.DEAD,)

    selection: Selection

    def preview(self, *, now: datetime) -> str:
        jobs = self.selection.finished(now=now)
        free = jobs.unrivalled()
        keys = free.filter(dedupe_key__isnull=False).values("dedupe_key").distinct().count()
        requeued = free.filter(dedupe_key__isnull=True).count() + keys
        rivalled = max(0, jobs.count() - requeued)
        return f"{_jobs(requeued)} would be requeued{_passed_over(rivalled)}."

    def carry_out(self, *, now: datetime) -> str:
        jobs = self.selection.finished(now=now)
        requeued = jobs.requeue(now=now)
        left = jobs.filter(dedupe_key__isnull=False, finished_at__lte=now).count()
        return f"{_jobs(requeued)} requeued{_passed_over(left)}."


@dataclass(frozen=True)
class Cancel:
    """Cancel what waits, ask what runs to stop."""

    allowed: ClassVar[Sequence[State]] = UNFINISHED
    usual: ClassVar[Sequence[State]] = UNFINISHED

    selection: Selection
    reason: str

    def preview(self, *, now: datetime) -> str:
        jobs = self.selection.unfinished(now=now).cancellable()
        running = jobs.running().count()
        waiting = jobs.ready().count() + jobs.blocked().count() + jobs.waiting().count()
        if not running:
            return f"{_jobs(waiting)} would be cancelled."
        return f"{_jobs(waiting)} would be cancelled, {_running(running)} would be asked to stop."

    def carry_out(self, *, now: datetime) -> str:
        changed = self.selection.unfinished(now=now).cancel(self.reason, now=now)
        asked = Job.objects.running().filter(cancel_requested_at=now).count()
        if not asked:
            return f"{_jobs(changed)} cancelled."
        return f"{_jobs(changed - asked)} cancelled, {_running(asked)} asked to stop."


@dataclass(frozen=True)
class Purge:
    """Delete finished jobs."""

    allowed: ClassVar[Sequence[State]] = TERMINAL
    usual: ClassVar[Sequence[State]] = (State.SUCCEEDED,)

    selection: Selection

    def preview(self, *, now: datetime) -> str:
        return f"{_jobs(self.selection.finished(now=now).count())} would be purged."

    def carry_out(self, *, now: datetime) -> str:
        return f"{_jobs(self.selection.finished(now=now).purge())} purged."


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which jobs are meant: those in one of the states that fit everything that is not None.

    A `kind` that ends with `*` is a prefix. `older_than` and `newer_than` go by when a job
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
        return self._aged(self._narrowed(Job.objects.finished()), "finished_at", now=now)

    def unfinished(self, *, now: datetime) -> JobQuerySet:
        return self._aged(self._narrowed(Job.objects.unfinished()), "enqueued_at", now=now)

    def left_out(self) -> list[str]:
        """The ids of jobs that are in none of the states, each with the reason."""
        given = set(self.ids or ())
        states = dict(Job.objects.filter(pk__in=given).values_list("pk", "state"))
        others = sorted(pk for pk in given if states.get(pk) not in self.states)
        return [f"#{pk} ({states.get(pk, 'no such job')})" for pk in others]

    def _aged(self, jobs: JobQuerySet, moment: str, *, now: datetime) -> JobQuerySet:
        if self.older_than is not None:
            jobs = jobs.filter(**{f"{moment}__lt": now - self.older_than})
        if self.newer_than is not None:
            jobs = jobs.filter(**{f"{moment}__gt": now - self.newer_than})
        return jobs

    def _narrowed(self, jobs: JobQuerySet) -> JobQuerySet:
        """No word is matched by LIKE: on SQLite it takes `a` for `A`."""
        jobs = jobs.filter(state__in=constants(self.states))
        if self.ids is not None:
            jobs = jobs.filter(pk__in=self.ids)
        if self.queue is not None:
            jobs = jobs.filter(queue=self.queue)
        if self.kind is not None and self.kind.endswith("*"):
            beginning = Value(self.kind.removesuffix("*"))
            jobs = jobs.alias(kind_at=StrIndex("kind", beginning)).filter(kind_at=1)
        elif self.kind is not None:
            jobs = jobs.filter(kind=self.kind)
        if self.error is not None:
            place = StrIndex("last_error", Value(self.error))
            jobs = jobs.alias(error_at=place).filter(error_at__gt=0)
        return jobs


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"


def _running(count: int) -> str:
    return "1 running job" if count == 1 else f"{count:,} running jobs"


def _passed_over(count: int) -> str:
    whose = "its dedupe key" if count == 1 else "their dedupe keys"
    return f", {count:,} passed over because an unfinished job has {whose}" if count else ""
