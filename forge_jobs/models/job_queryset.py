"""The verbs of jobs: what can be done to a set of rows, and to the whole table."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, Self

from django.db import IntegrityError, transaction
from django.db.models import (
    Case,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    Value,
    When,
)

from forge_jobs import clock, db, wake
from forge_jobs.handlers.settlement import LONGEST_MESSAGE, trimmed
from forge_jobs.models.event import JobEvent
from forge_jobs.models.expiry import Expiring
from forge_jobs.models.gate import Gate, judge_anew
from forge_jobs.models.promotion import follow_on_commit, wake_and_promote
from forge_jobs.models.step import JobStep
from forge_jobs.states import Event, GateState, State

if TYPE_CHECKING:
    from forge_jobs.models.ended import Ended

BATCH: Final = 500
"""How many rows a verb changes at once; in between, others can write."""
LOOKED_UP: Final = 5_000
"""How many rows a verb finds at once: SQLite may have to sort all of them each time."""
LONGEST_BY: Final = 200
TAKEN_BACK: Final = "taken back"

READY_OR_BLOCKED: Final = Case(
    When(concurrency_key__isnull=True, then=Value(State.READY)),
    default=Value(State.BLOCKED),
)


class JobQuerySet(Expiring):
    def release(self, *, now: datetime) -> int:
        """Give running jobs back unfinished, with their attempt; returns how many.

        Those that somebody asked to stop are cancelled, and completed ones have succeeded.
        """
        ended = (
            self.running()
            .completed()
            .update(state=State.SUCCEEDED, process=None, concurrency_slot=None)
        )
        cancelled = self.running().filter(cancel_requested_at__isnull=False)
        ended += cancelled.update(
            state=State.CANCELLED, process=None, concurrency_slot=None, finished_at=now
        )
        return ended + self.running().update(
            state=State.READY, process=None, attempt=F("attempt") - 1, started_at=None
        )

    def cancel(self, reason: str = "", *, by: str = "", now: datetime | None = None) -> int:
        """Cancel what waits, and ask what runs to stop; returns how many jobs.

        A run that ends well all the same stays a success. `reason` is told to the handler, `by`
        says who asked.
        """
        return self.cancellable()._stop_all(
            lambda jobs: jobs._stop(
                jobs.cancellable(), Event.CANCEL_REQUESTED, reason, by=by, now=now or clock.now()
            )
        )

    def kill(self, reason: str = "", *, by: str = "", now: datetime | None = None) -> int:
        """Cancel what waits, and end what runs; returns how many jobs.

        Their handlers are interrupted by `JobKilled`; threads that do not react are given up.
        """
        return self.killable()._stop_all(
            lambda jobs: jobs._stop(
                jobs.killable(),
                Event.KILL_REQUESTED,
                reason,
                by=by,
                now=now or clock.now(),
                is_to_be_killed=True,
            )
        )

    def _stop_all(self, act: Callable[[JobQuerySet], int]) -> int:
        """What waits comes first, and keys are passed on at last.

        Otherwise jobs would begin that are to be stopped as well.
        """
        freed: set[str] = set()

        def stop(jobs: JobQuerySet) -> int:
            _, keys = jobs.ready().filter(concurrency_slot__isnull=False)._queues_and_keys()
            freed.update(keys)
            return act(jobs)

        stopped = self.exclude(state=State.RUNNING)._in_batches(stop) + self._in_batches(stop)
        wake_and_promote(set(), freed)
        return stopped

    def _stop(
        self, those: Self, event: Event, reason: str, *, by: str, now: datetime, **columns: Any
    ) -> int:
        """In one statement, for a job may be claimed, or end its run, at any moment.

        Those that run are asked to, which is the `event`.
        """
        is_running = Q(state=State.RUNNING)
        with transaction.atomic(using=self.db):
            stopped = those.update(
                state=Case(When(is_running, then=F("state")), default=Value(State.CANCELLED)),
                finished_at=Case(When(is_running, then=F("finished_at")), default=Value(now)),
                concurrency_slot=Case(When(is_running, then=F("concurrency_slot")), default=None),
                cancel_requested_at=now,
                cancel_reason=trimmed(reason, LONGEST_MESSAGE),
                cancelled_by=_storable(by),
                **columns,
            )
            if stopped:
                asked = self.filter(cancel_requested_at=now, **columns)
                _note(asked.filter(is_running), event, at=now, by=by, detail=reason)
                _note(asked.exclude(is_running), Event.CANCELLED, at=now, by=by, detail=reason)
                wake.on_commit(wake.STOP)
        return stopped

    def run_now(self, *, by: str = "", now: datetime | None = None) -> int:
        """Let jobs run that wait for their time; returns how many. `by` says who wants it."""
        return self.waiting()._in_batches(
            lambda jobs: jobs._make_ready(by=by, now=now or clock.now())
        )

    def _make_ready(self, *, by: str, now: datetime) -> int:
        queues, keys = self.waiting()._queues_and_keys()
        with transaction.atomic(using=self.db):
            if changed := self.waiting().update(state=READY_OR_BLOCKED, run_at=now):
                _note(self.filter(run_at=now).due(), Event.RUN_NOW, at=now, by=by)
        wake_and_promote(queues, keys)
        return changed

    def bring_back(self, *, now: datetime) -> int:
        """Let the delay of retries begin now that a clock which was ahead put off; how many."""
        moment = now + clock.AHEAD
        late = self.waiting().filter(
            state=State.RETRYING,
            run_at__gt=moment,
            started_at__gt=moment,
        )
        delay = ExpressionWrapper(F("run_at") - F("started_at"), output_field=DurationField())
        begins = ExpressionWrapper(Value(now) + delay, output_field=DateTimeField())
        return late.update(run_at=begins, started_at=now)

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
                _note(self, Event.REQUEUED, at=now, by=by, detail=TAKEN_BACK)
        wake_and_promote(set(), keys)
        return changed

    def purge(self) -> int:
        """Delete finished jobs; returns how many.

        Those are kept that an unfinished job comes after, or that are in a batch without an end.
        """
        return self.finished()._in_batches(
            lambda jobs: jobs.finished().unneeded()._raw_delete(jobs.db)
        )

    def _requeue(self, *, by: str, now: datetime) -> int:
        free = self.finished().unrivalled()
        newest = {key or pk: pk for pk, key in free.order_by("pk").values_list("pk", "dedupe_key")}
        chosen = self.filter(pk__in=newest.values()).finished()
        queues, keys = chosen._queues_and_keys()
        try:
            with transaction.atomic(using=self.db):
                JobStep.objects.forget(chosen)
                behind = chosen.filter(gate__isnull=False)
                gates = set(behind.values_list("gate_id", flat=True))
                Gate.objects.filter(pk__in=gates).lock()  # so that none opens behind our back
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
                    _note(again.unfinished(), Event.REQUEUED, at=now, by=by)
                    judge_anew(list(newest.values()))
                    follow_on_commit(gates=Gate.objects.close(gates))
        except IntegrityError:  # a rival was enqueued in this very moment
            if len(newest) == 1:
                return 0
            return sum(self.filter(pk=pk)._requeue(by=by, now=now) for pk in newest.values())
        wake_and_promote(queues, keys)
        return requeued

    def _in_batches(self, act: Callable[[JobQuerySet], int]) -> int:
        """Do something to the rows, the oldest first; each batch is a transaction of its own.

        `act` gets bare rows, for with more to go by SQLite might not go by their ids; it guards
        its change against what others did in the meantime.
        """
        done = 0
        plain = self.model._default_manager.using(self.db)
        keys = self._keys()
        while batch := list(islice(keys, BATCH)):
            done += db.unless_locked(partial(act, plain.filter(pk__in=batch)))
        return done

    def _keys(self) -> Iterator[int]:
        last = 0
        while True:
            following = self.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
            if not (keys := list(following[:LOOKED_UP])):
                return
            yield from keys
            last = keys[-1]


def _held_or_due() -> Case:
    gate = Gate.objects.filter(pk=OuterRef("gate_id")).exclude(state=GateState.OPEN)
    return Case(When(Exists(gate), then=Value(State.HELD)), default=READY_OR_BLOCKED)


def _note(jobs: JobQuerySet, event: Event, *, at: datetime, by: str, detail: str = "") -> None:
    """Write down what a person did, in the transaction that does it."""
    ids, detail = jobs.values_list("pk", flat=True), trimmed(detail, LONGEST_MESSAGE)
    JobEvent.objects.note(ids, event, at=at, by=_storable(by), detail=detail)


def _storable(by: str) -> str:
    return trimmed(by[:LONGEST_BY], LONGEST_BY)
