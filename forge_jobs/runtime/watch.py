"""Notices when work waits and nothing starts: a process can live and yet take nothing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from forge_jobs.conf import conf
from forge_jobs.models import Job
from forge_jobs.runtime.claiming.fetcher import Fetcher
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.finalizer import Finalizer
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.running.workers import Side, Workers


class Watch:
    """Trouble is what lasts twice as long as a process may be silent.

    A process is stuck when it does not get to claim or to write. (Workers do not get stuck for
    longer than it takes to replace them.) That they are busy with long jobs is no fault of the
    process, but worth telling if work waits for them.
    """

    def __init__(
        self,
        *,
        fetcher: Fetcher,
        finalizer: Finalizer,
        workers: Workers,
        steering: Steering,
        lifecycle: Lifecycle,
        kinds: Sequence[str],
    ) -> None:
        self._fetcher = fetcher
        self._finalizer = finalizer
        self._workers = workers
        self._steering = steering
        self._lifecycle = lifecycle
        self._kinds = kinds
        self.is_stuck = False
        self._patience = 2 * conf().process_timeout.total_seconds()
        self._started: dict[str, int] = {}
        self._started_at: dict[str, float] = {}

    def trouble(self, *, now: datetime) -> str:
        """What keeps the process from its work, in one sentence; empty if nothing does."""
        moment = time.monotonic()
        stuck, lifecycle = self._stuck(moment), self._lifecycle
        self.is_stuck = bool(stuck) or lifecycle.is_quiet or lifecycle.is_stopping
        return stuck or self._busy(moment, now)

    def _stuck(self, moment: float) -> str:
        unclaimed = moment - self._fetcher.came_round_at
        if unclaimed > self._patience and not self._fetcher.is_asleep:
            return f"It has not got to claiming jobs for {unclaimed:.0f} s."
        unwritten = moment - (self._finalizer.busy_since or moment)
        if unwritten > self._patience:
            return f"It has not got to writing outcomes for {unwritten:.0f} s."
        return ""

    def _busy(self, moment: float, now: datetime) -> str:
        told = [self._told(side, moment, now) for side in self._workers.sides()]
        return next(filter(None, told), "")

    def _told(self, side: Side, moment: float, now: datetime) -> str:
        has_room = side.busy < side.size
        if has_room or side.started != self._started.get(side.who):
            self._started[side.who], self._started_at[side.who] = side.started, moment
        if moment - (started_at := self._started_at[side.who]) <= self._patience:
            return ""
        overdue = Job.objects.ready().filter(
            queue__in=self._steering.unrestricted(),
            kind__in=list(filter(side.kinds, self._kinds)),
            run_at__lt=now - timedelta(seconds=self._patience),
        )
        if not overdue.exists():
            return ""
        longest = min(side.runs, key=lambda run: run.began_at)
        return (
            f"Jobs wait, and all {side.busy} {side.who} have been busy for "
            f"{moment - started_at:.0f} s; {longest.job.kind} #{longest.job.id} for longest."
        )
