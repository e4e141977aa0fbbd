"""What is done to jobs that are to run now, or again."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

from django.db import IntegrityError, transaction
from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Value,
    When,
)

from forge_jobs import clock, db
from forge_jobs.models.anew import judge_anew, lock_around
from forge_jobs.models.base import Constant
from forge_jobs.models.event import JobEvent
from forge_jobs.models.gate import Gate
from forge_jobs.models.in_batches import note
from forge_jobs.models.promotion import follow_on_commit, wake_and_promote
from forge_jobs.models.step import JobStep
from forge_jobs.models.stopping import Stopping
from forge_jobs.states import Event, GateState, State

if TYPE_CHECKING:
    from forge_jobs.models.ended import Ended

TAKEN_BACK: Final = "taken back"

READY_OR_BLOCKED: Final = Case(
    When(concurrency_key__isnull=True, then=Value(State.READY)),
    default=Value(State.BLOCKED),
)


class RunningAgain(Stopping):
    def run_now(self, *, by: str = "", now: datetime | None = None) -> int:
        """Let jobs run that wait for their time; returns how many. `by` says who wants it."""
        return self.waiting()._in_batches(
            lambda jobs: jobs._make_ready(by=by, now=now or clock.now())
        )

    def requeue(self, *, by: str = "", now: datetime | None = None) -> int:
        """Let finished jobs run again, with fresh attempts; returns how many.

        What has succeeded begins anew, anything else goes on after the steps that it has stored.
        A job is passed over if an unfinished one has its dedupe key. One that was cancelled because
        of what it comes after is held again, and cancelled again if that has not changed. `by` says
        who wants it.
        """
        return self.finished()._in_batches(
            lambda jobs: jobs._requeue(by=by, now=now or clock.now())
        )

    def end_again(self, ended: Ended, *, since: datetime, by: str = "", now: datetime) -> int:
        """Take back a requeue at `since`, before anything has begun; returns how many jobs."""
        begun = JobEvent.objects.filter(job_id=OuterRef("pk"), event=Event.STARTED, at__gte=since)
        idle = self.filter(~Exists(begun), state__in=[State.READY, State.BLOCKED])
        untouched = idle.filter(run_at=since, attempt=0, started_at=None)
        _, keys = untouched._queues_and_keys()
        with transaction.atomic(using=self.db):
            if changed := untouched.update(concurrency_slot=None, **ended.columns()):
                note(self, Event.REQUEUED, at=now, by=by, detail=TAKEN_BACK)
        wake_and_promote(set(), keys)
        return changed

    def bring_back(self, *, now: datetime) -> int:
        """Let the delay of retries begin now that a clock which was ahead put off; how many."""
        moment = now + clock.AHEAD
        late = self.filter(
            state=Constant(State.RETRYING),  # by its own index: a million may be scheduled
            run_at__gt=moment,
            started_at__gt=moment,
        )
        delay = ExpressionWrapper(F("run_at") - F("started_at"), output_field=DurationField())
        begins = ExpressionWrapper(Value(now) + delay, output_field=DateTimeField())
        return late.update(run_at=begins, started_at=now)

    def _make_ready(self, *, by: str, now: datetime) -> int:
        queues, keys = self.waiting()._queues_and_keys()
        with transaction.atomic(using=self.db):
            if changed := self.waiting().update(state=READY_OR_BLOCKED, run_at=now):
                note(self.filter(run_at=now).due(), Event.RUN_NOW, at=now, by=by)
        wake_and_promote(queues, keys)
        return changed

    def _requeue(self, *, by: str, now: datetime) -> int:
        free = self.finished().unrivalled()
        newest = {key or pk: pk for pk, key in free.order_by("pk").values_list("pk", "dedupe_key")}
        chosen = self.filter(pk__in=newest.values()).finished()
        queues, keys = chosen._queues_and_keys()
        try:
            with db.turn_to_write():
                gates = lock_around(list(newest.values()))
                JobStep.objects.forget(chosen)
                requeued = chosen.update(
                    state=_held_or_due(),
                    run_at=now,
                    attempt=0,
                    started_at=None,
                    finished_at=None,
                    expires_at=None,
                    dedupe_turn=None,
                    result=None,
                    progress=None,
                    process_name=None,
                    cancel_requested_at=None,
                    cancel_reason="",
                    cancelled_by="",
                    is_to_be_killed=False,
                )
                if requeued:
                    again = self.filter(pk__in=newest.values(), run_at=now, attempt=0)
                    note(again.unfinished(), Event.REQUEUED, at=now, by=by)
                    judge_anew(list(newest.values()))
                    follow_on_commit(gates=Gate.objects.close(gates))
        except IntegrityError:  # a rival was enqueued in this very moment
            if len(newest) == 1:
                return 0
            return sum(self.filter(pk=pk)._requeue(by=by, now=now) for pk in newest.values())
        wake_and_promote(queues, keys)
        return requeued


def _held_or_due() -> Case:
    gate = Gate.objects.filter(pk=OuterRef("gate_id")).exclude(state=GateState.OPEN)
    return Case(When(Exists(gate), then=Value(State.HELD)), default=READY_OR_BLOCKED)
