"""Runs jobs here and now, in the caller's thread and transaction, as a worker would."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from contextvars import copy_context
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from threading import Event
from typing import Any, overload

from asgiref.sync import async_to_sync
from django.db import transaction

from forge_jobs import clock, db
from forge_jobs.backoff import Fixed
from forge_jobs.conf import conf
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.enqueueing.draft import Draft
from forge_jobs.exceptions import JobTimedOut
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.outcomes import Done, Failed, Outcome
from forge_jobs.handlers.settlement import settle
from forge_jobs.models import Job
from forge_jobs.runtime.claiming.lane import Lane, take_turn
from forge_jobs.runtime.engine import Engine, Options
from forge_jobs.runtime.registration import default_name, sign_off
from forge_jobs.runtime.running.aio import EventLoop
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.running.worker import Worker
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.services.promoter import Promoter
from forge_jobs.services.stager import Stager
from forge_jobs.states import State


@dataclass(frozen=True)
class Ran:
    """One attempt of a job: what its handler came to, and the `state` in which that left the job.

    The state is None of a job that nobody wants kept.
    """

    job_id: int
    kind: str
    queue: str
    payload: dict[str, Any]
    attempt: int
    outcome: Outcome
    state: State | None


class Drained(Sequence[Ran]):
    """What ran, in the order in which it did."""

    def __init__(self, runs: Iterable[Ran] = ()) -> None:
        self._runs = list(runs)

    def __repr__(self) -> str:
        told = [f"{one.kind} #{one.job_id}: {one.outcome!r}" for one in self._runs]
        return f"<Drained {told}>"

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, place: int) -> Ran: ...

    @overload
    def __getitem__(self, place: slice) -> list[Ran]: ...

    def __getitem__(self, place: int | slice) -> Ran | list[Ran]:
        return self._runs[place]

    @property
    def kinds(self) -> list[str]:
        return [one.kind for one in self._runs]

    @property
    def failures(self) -> list[Ran]:
        """Attempts that ended with an error."""
        return [one for one in self._runs if getattr(one.outcome, "traceback", None) is not None]


def drain(
    *,
    queues: Iterable[str] | None = None,
    until: Callable[[], bool] | None = None,
    max_jobs: int | None = None,
) -> Drained:
    """Run what is due, and what that enqueues, until nothing is left that is due.

    Of some `queues`, or of all; not beyond the moment when `until` returns true, which is asked
    after each job; no more than `max_jobs`. A job that fails is due again after its policy's delay:
    see `frozen_at()`. What no handler is registered for stays.
    """
    with inline(queues=queues) as jobs:
        return Drained(jobs.run_all(until=until, max_jobs=max_jobs))


def run(
    handler: str | JobHandler,
    payload: dict[str, Any] | None = None,
    *,
    attempt: int = 1,
    context: dict[str, Any] | None = None,
) -> Outcome:
    """What one run of a handler comes to, without a job in the database.

    Nothing is settled: a `Failed` says what failed, not whether it would be tried again. Raises as
    `enqueue()` does for what could not have been enqueued.
    """
    row = Draft.of(handler, context=context).row({} if payload is None else payload)
    job = ClaimedJob(
        0,
        row.queue,
        row.kind,
        row.payload,
        row.context,
        row.priority,
        clock.now(),
        attempt,
        max(attempt, row.max_attempts) if row.max_attempts else None,
        row.timeout_seconds,
        row.concurrency_key,
        clock.now().timestamp(),
        clock.now().isoformat(),
    )
    outcome = _Alone().outcome_of(Run(job, process_name="testing"))[0]
    if isinstance(outcome, Done):
        transition = settle(job, outcome, policy=Fixed(delay=timedelta(0)), now=clock.now())
        if transition.state is not State.SUCCEEDED:
            return Failed(transition.last_error)
    return outcome


@contextmanager
def inline(*, queues: Iterable[str] | None = None) -> Iterator[Inline]:
    """A process of its own for as long as the block: it may claim, and beats for nobody."""
    served = dict.fromkeys(conf().queues if queues is None else queues, 1)
    engine = Engine.signed_on(
        Options(
            queues=served,
            threads=1,
            name=f"testing-{default_name()}",
            poll_interval=timedelta(seconds=1),
            shutdown_timeout=timedelta(0),
        )
    )
    try:
        yield Inline(engine)
    finally:
        Job.objects.claimed_by(engine.process).release(now=clock.now())
        sign_off(engine.process)


class Inline:
    """The parts of an engine, used by one thread in turn."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._worker = InlineWorker(
            0,
            process=engine.process,
            buffer=engine.buffer,
            settlements=engine.settlements,
            writing=nullcontext(),
            claiming_stops=Event(),
            fail=engine.lifecycle.fail,
        )
        self._stager, self._promoter = Stager(), Promoter()

    def run_all(
        self, *, until: Callable[[], bool] | None = None, max_jobs: int | None = None
    ) -> Iterator[Ran]:
        for ran in count():
            if ran == max_jobs or (ran and until and until()):
                return
            if (job := self._claim()) is None:
                return
            yield self._run(job)

    def _claim(self) -> ClaimedJob | None:
        now = clock.now()
        self._stager.run_once(now=now)
        self._promoter.run_once(now=now)  # a commit does, but a test's may never come
        self._engine.steering.run_once(now=now)
        fetcher = self._engine.fetcher
        fetcher.lanes.look_everywhere()
        lanes = fetcher.lanes.open()
        for lane in sorted(lanes, key=lambda lane: -(lane.credit + lane.weight)):
            if claimed := self._claim_one(lane):
                take_turn(lane, lanes)
                return claimed
        return None

    def _claim_one(self, lane: Lane) -> ClaimedJob | None:
        lane.opens_at = 0.0
        lane.allowance = lane.entrusted = 0
        fetcher = self._engine.fetcher
        kinds = fetcher.kind_limits.roomy()
        claimed = fetcher.admission.claim(lane, 1, kinds=kinds)
        for job in claimed:
            self._engine.claims.add(job)
            return job
        return None

    def _run(self, job: ClaimedJob) -> Ran:
        self._worker.run_job(job)
        finalizer = self._engine.finalizer
        (finished,) = group = finalizer.next_group()
        finalizer.finalize(group)
        state = Job.objects.filter(pk=job.id).values_list("state", flat=True).first()
        return Ran(
            job.id,
            job.kind,
            job.queue,
            json.loads(job.payload),
            job.attempt,
            finished.outcome,
            State(state) if state else None,
        )


class InlineWorker(Worker):
    """Runs in the thread of the test, whose connections are the test's.

    So nothing is ever raised in the middle of a handler, where it might meet a query: a job that
    took longer than its timeout is timed out when its handler returns.
    """

    tidy = drop_sessions = staticmethod(lambda: None)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._loop = InlineLoop()

    def outcome_of(self, run: Run) -> tuple[Outcome, Transition | None]:
        return copy_context().run(self.run_handler, run)

    def failure(self, run: Run, error: BaseException) -> Outcome:
        if isinstance(error, KeyboardInterrupt):  # whoever runs the tests
            raise error
        return super().failure(run, error)

    def call(self, handler: JobHandler, run: Run) -> Outcome:
        began = clock.now()
        outcome = super().call(handler, run)
        limit = run.job.timeout_seconds
        if limit is not None and (clock.now() - began).total_seconds() > limit:
            raise JobTimedOut
        return outcome


class InlineLoop(EventLoop):
    """Runs coroutines so that the ORM is called in the thread of the test."""

    def __init__(self) -> None: ...

    def run(self, coroutine: Coroutine[Any, Any, object], *, timeout: float | None) -> object:
        async def limited() -> object:
            return await asyncio.wait_for(coroutine, timeout)

        try:
            return async_to_sync(limited)()
        except TimeoutError as error:
            raise JobTimedOut from error

    def cancel(self) -> None:
        """Nobody kills a job that runs inline."""

    def close(self) -> None: ...


class _Alone(InlineWorker):
    """Settles nothing: there is no job in the database."""

    def __init__(self) -> None:
        EngineThread.__init__(self, "testing", fail=lambda reason: None)
        self._loop = InlineLoop()

    def may_begin(self, job: ClaimedJob) -> bool:
        return True

    def run_atomically(self, handler: JobHandler, run: Run) -> tuple[Outcome, Transition | None]:
        with transaction.atomic(using=db.connection().alias):
            return self.call(handler, run), None
