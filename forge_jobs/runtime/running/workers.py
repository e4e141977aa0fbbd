"""The workers of a process, together: watched over, and replaced when they are stuck."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable

from forge_jobs.handlers.outcomes import Cancelled, Failed, Outcome
from forge_jobs.handlers.secrecy import shown_job
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.running.run import GRACE_SECONDS, NEVER, Run
from forge_jobs.runtime.running.worker import Worker
from forge_jobs.runtime.settlements import Finished, Settlements
from forge_jobs.signals import worker_abandoned


class Workers:
    """`hire(number)` makes one more worker; it is not started."""

    def __init__(
        self,
        hire: Callable[[int], Worker],
        *,
        size: int,
        settlements: Settlements,
        lifecycle: Lifecycle,
    ) -> None:
        self._hire = hire
        self._settlements = settlements
        self._lifecycle = lifecycle
        self.active = [hire(number) for number in range(1, size + 1)]
        self.abandoned: list[Worker] = []
        self.given_up = 0

    def start(self) -> None:
        for worker in self.active:
            worker.start()

    @property
    def stuck(self) -> int:
        """How many abandoned threads are still there."""
        return sum(worker.is_alive() for worker in self.abandoned)

    @property
    def hang_in_imports(self) -> bool:
        """Whether all that still runs waits for modules, perhaps for one that is never made."""
        runs = self.runs()
        return bool(runs) and all(run.is_importing for run in runs)

    def runs(self) -> list[Run]:
        current = [run for worker in self.active if (run := worker.current)]
        return [member for run in current for member in run.members if not member.has_ended]

    def work_done(self) -> tuple[int, float]:
        """How many runs have ended, and the seconds that they took."""
        jobs, seconds = self.given_up, 0.0
        for worker in self.active:
            jobs += worker.jobs_run
            seconds += worker.seconds
        return jobs, seconds

    def jobs_started(self) -> int:
        return sum(worker.jobs_started for worker in self.active)

    def look_after(self) -> None:
        """End what has run for too long; give up the threads that do not react."""
        now = time.monotonic()
        self.abandoned = [worker for worker in self.abandoned if worker.is_alive()]
        for worker in list(self.active):
            if run := worker.current:
                run.look_after(now=now)
                if run.is_given_up:
                    self.abandon(worker, run)

    def abandon(self, worker: Worker, run: Run) -> None:
        """Report the run as failed, whatever may still come of it, and let another worker begin."""
        self.abandoned.append(worker)
        self.given_up += len(run.members)
        run.let_go()
        self.active.remove(worker)
        for member in run.members:
            if member is run or member.end():
                self._give_up(worker, member)
        worker_abandoned.send_robust(type(self), job=shown_job(run.job), stuck=self.stuck)
        if run.is_importing:
            # Others will wait for the module, and nobody knows whether it will ever be whole.
            self._lifecycle.give_up("a thread was given up in the middle of an import")
        if not self._lifecycle.is_stopping:
            successor = self._hire(worker.number)
            successor.jobs_run, successor.seconds = worker.jobs_run, worker.seconds
            successor.jobs_started = worker.jobs_started
            self.active.append(successor)
            successor.start()

    def _give_up(self, worker: Worker, run: Run) -> None:
        outcome = _given_up(worker, run)
        has_moved = run.context.has_moved
        transition = self._settlements.settled(run.job, outcome, has_moved=has_moved)
        seconds = time.monotonic() - run.began_at
        self._settlements.put(Finished(run.job, transition, outcome, seconds))


def _given_up(worker: Worker, run: Run) -> Outcome:
    if run.killed_at != NEVER:
        return Cancelled(run.context.cancelled.reason)
    return Failed(
        f"Timed out after {run.job.timeout_seconds:g} s and did not react within "
        f"{GRACE_SECONDS:g} s more; its thread was abandoned.",
        traceback=_where_is(worker),
    )


def _where_is(worker: Worker) -> str:
    frame = sys._current_frames().get(worker.ident or 0)
    return "".join(traceback.format_stack(frame)) if frame else ""
