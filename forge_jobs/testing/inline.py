"""The parts of a process, used by one thread in turn."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from itertools import count
from threading import Event

from forge_jobs import clock
from forge_jobs.conf import conf
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import UnknownQueue
from forge_jobs.models import Job
from forge_jobs.runtime.claiming.few_kinds import ScarceLane
from forge_jobs.runtime.claiming.lane import Lane
from forge_jobs.runtime.claiming.turns import take_turns
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.options import Options
from forge_jobs.runtime.registration import default_name, sign_off
from forge_jobs.runtime.running.beginning import Beginning
from forge_jobs.runtime.running.ends import Ends
from forge_jobs.runtime.running.keeping import Claimed
from forge_jobs.runtime.running.run import Run
from forge_jobs.services.expirer import Expirer
from forge_jobs.services.gatekeeper import Gatekeeper
from forge_jobs.services.promoter import Promoter
from forge_jobs.services.stager import Stager
from forge_jobs.states import State
from forge_jobs.testing.ran import Ran
from forge_jobs.testing.worker import InlineHandling
from forge_jobs.wording import listed, meant


@contextmanager
def inline(*, queues: Iterable[str] | None = None) -> Iterator[Inline]:
    """A process of its own for as long as the block: it may claim, and beats for nobody."""
    served = dict.fromkeys(conf().queues if queues is None else _declared(queues), 1)
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


def _declared(queues: Iterable[str]) -> list[str]:
    known = conf().queues
    named = [queues] if isinstance(queues, str) else list(queues)
    if unknown := [queue for queue in named if queue not in known]:
        raise UnknownQueue(
            f'queues: {listed(unknown)} is not declared in FORGE_JOBS["QUEUES"], which has '
            f"{listed(known)}.{meant(unknown[0], known)}",
            field="queues",
        )
    return named


class Inline:
    """The parts of an engine, used by one thread in turn."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        process, stopping = engine.process, Event()
        self._ends = Ends(engine.settlements)
        self._store = Claimed(process, stopping=stopping)
        beginning = Beginning(process, doors=engine.doors, writing=nullcontext(), stopping=stopping)
        self._handling = InlineHandling(
            process, refused=beginning.refused, settled=self._ends.settled
        )
        # What a commit does, too; but a test's may never come.
        self._services = [Expirer(), Gatekeeper(), Stager(), Promoter()]

    def run_all(
        self, *, until: Callable[[], bool] | None = None, max_jobs: int | None = None
    ) -> Iterator[Ran]:
        for ran in count():
            if (max_jobs is not None and ran >= max_jobs) or (ran and until and until()):
                return
            if (job := self._claim()) is None:
                return
            yield self._run(job)

    def _claim(self) -> ClaimedJob | None:
        now = clock.now()
        for service in self._services:
            while service.run_once(now=now) and not service.rest(now=now):
                pass  # it has more to do than it does at once
        self._engine.steering.run_once(now=now)
        fetcher = self._engine.fetcher
        fetcher.lanes.look_everywhere()  # all may hold work: so nothing is inherited
        lanes = [lane for lane in fetcher.lanes.open() if not isinstance(lane, ScarceLane)]
        for lane in sorted(lanes, key=lambda lane: -(lane.credit + lane.weight)):
            if claimed := self._claim_one(lane):
                take_turns({lane}, lanes)
                return claimed
        return None

    def _claim_one(self, lane: Lane) -> ClaimedJob | None:
        lane.opens_at = 0.0
        lane.allowance = lane.entrusted = 0
        fetcher = self._engine.fetcher
        limits = fetcher.kind_limits
        kinds = [*limits.unlimited, *limits.chunked, *limits.rooms(limits.limited)]
        claimed = fetcher.admission.claim(lane, 1, kinds=kinds)
        for job in claimed:
            self._engine.claims.add(job)
            return job
        return None

    def _run(self, job: ClaimedJob) -> Ran:
        run = Run(job, process_name=self._engine.process.name, store=self._store)
        self._ends.report(run, *self._handling.outcome_of(run))
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
