"""What operators do to many jobs at once: see what would happen, do it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from forge_jobs.models import Job, State
from forge_jobs.operations.selection import Selection
from forge_jobs.states import TERMINAL, UNFINISHED, WAITING

__all__ = ["Cancel", "Foresight", "Kill", "Operation", "Purge", "Retry", "RunNow", "Selection"]


@dataclass(frozen=True)
class Foresight:
    """How many jobs would be changed, or were, and the whole truth in a sentence."""

    count: int
    told: str


class Operation(ABC):
    """Something to do to the jobs of a selection; the sentences have the numbers."""

    allowed: ClassVar[Sequence[State]]
    """In which states jobs can be for it."""
    usual: ClassVar[Sequence[State]]
    """In which they are meant to be, unless told otherwise."""

    selection: Selection

    @abstractmethod
    def foresee(self, *, now: datetime) -> Foresight:
        """What would happen; changes nothing."""

    @abstractmethod
    def act(self, *, now: datetime) -> Foresight:
        """Do it."""

    def carry_out(self, *, now: datetime) -> str:
        """The same; tells how many jobs were changed."""
        return self.act(now=now).told

    def preview(self, *, now: datetime) -> str:
        return self.foresee(now=now).told


@dataclass(frozen=True)
class Retry(Operation):
    """Let finished jobs run again."""

    allowed: ClassVar[Sequence[State]] = TERMINAL
    usual: ClassVar[Sequence[State]] = (State.DEAD,)

    selection: Selection
    by: str = ""

    def foresee(self, *, now: datetime) -> Foresight:
        jobs = self.selection.finished(now=now)
        free = jobs.unrivalled()
        keys = free.filter(dedupe_key__isnull=False).values("dedupe_key").distinct().count()
        requeued = free.filter(dedupe_key__isnull=True).count() + keys
        rivalled = max(0, jobs.count() - requeued)
        told = f"{_jobs(requeued)} would be requeued{_passed_over(rivalled)}."
        return Foresight(requeued, told)

    def act(self, *, now: datetime) -> Foresight:
        jobs = self.selection.finished(now=now)
        requeued = jobs.requeue(by=self.by, now=now)
        left = jobs.filter(dedupe_key__isnull=False, finished_at__lte=now).count()
        return Foresight(requeued, f"{_jobs(requeued)} requeued{_passed_over(left)}.")


@dataclass(frozen=True)
class RunNow(Operation):
    """Let jobs run that wait for their time."""

    allowed: ClassVar[Sequence[State]] = WAITING
    usual: ClassVar[Sequence[State]] = WAITING

    selection: Selection
    by: str = ""

    def foresee(self, *, now: datetime) -> Foresight:
        waiting = self.selection.unfinished(now=now).waiting().count()
        return Foresight(waiting, f"{_jobs(waiting)} would run now.")

    def act(self, *, now: datetime) -> Foresight:
        changed = self.selection.unfinished(now=now).run_now(by=self.by, now=now)
        return Foresight(changed, f"{_jobs(changed)} made ready.")


@dataclass(frozen=True)
class Cancel(Operation):
    """Cancel what waits, ask what runs to stop."""

    allowed: ClassVar[Sequence[State]] = UNFINISHED
    usual: ClassVar[Sequence[State]] = UNFINISHED

    selection: Selection
    reason: str
    by: str = ""

    def foresee(self, *, now: datetime) -> Foresight:
        jobs = self.selection.unfinished(now=now).cancellable()
        idle, running = jobs.ready().count() + jobs.waiting().count(), jobs.running().count()
        idle += jobs.blocked().count()
        told = f"{_jobs(idle)} would be cancelled"
        asked = f", {_running(running)} would be asked to stop" if running else ""
        return Foresight(idle + running, f"{told}{asked}.")

    def act(self, *, now: datetime) -> Foresight:
        jobs = self.selection.unfinished(now=now)
        changed = jobs.cancel(self.reason, by=self.by, now=now)
        asked = Job.objects.running().filter(cancel_requested_at=now).count()
        if not asked:
            return Foresight(changed, f"{_jobs(changed)} cancelled.")
        told = f"{_jobs(changed - asked)} cancelled, {_running(asked)} asked to stop."
        return Foresight(changed, told)


@dataclass(frozen=True)
class Kill(Operation):
    """Cancel what waits, end what runs."""

    allowed: ClassVar[Sequence[State]] = UNFINISHED
    usual: ClassVar[Sequence[State]] = (State.RUNNING,)

    selection: Selection
    reason: str
    by: str = ""

    def foresee(self, *, now: datetime) -> Foresight:
        jobs = self.selection.unfinished(now=now).killable()
        count, running = jobs.count(), jobs.running().count()
        ended = f", {running:,} of them running" if running else ""
        return Foresight(count, f"{_jobs(count)} would be killed{ended}.")

    def act(self, *, now: datetime) -> Foresight:
        killed = self.selection.unfinished(now=now).kill(self.reason, by=self.by, now=now)
        return Foresight(killed, f"{_jobs(killed)} killed.")


@dataclass(frozen=True)
class Purge(Operation):
    """Delete finished jobs."""

    allowed: ClassVar[Sequence[State]] = TERMINAL
    usual: ClassVar[Sequence[State]] = (State.SUCCEEDED,)

    selection: Selection

    def foresee(self, *, now: datetime) -> Foresight:
        count = self.selection.finished(now=now).count()
        return Foresight(count, f"{_jobs(count)} would be purged.")

    def act(self, *, now: datetime) -> Foresight:
        purged = self.selection.finished(now=now).purge()
        return Foresight(purged, f"{_jobs(purged)} purged.")


def _jobs(count: int) -> str:
    return "1 job" if count == 1 else f"{count:,} jobs"


def _running(count: int) -> str:
    return "1 running job" if count == 1 else f"{count:,} running jobs"


def _passed_over(count: int) -> str:
    whose = "its dedupe key" if count == 1 else "their dedupe keys"
    return f", {count:,} passed over because an unfinished job has {whose}" if count else ""
