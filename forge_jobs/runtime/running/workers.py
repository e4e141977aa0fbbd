"""The workers of a process, together: watched over, and replaced when they are stuck."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Thread
from typing import NamedTuple

from forge_jobs.handlers.secrecy import shown_job
from forge_jobs.runtime.claiming.apart import Apart
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.running import stacks
from forge_jobs.runtime.running.coroutines import Coroutines
from forge_jobs.runtime.running.ends import Ends
from forge_jobs.runtime.running.loops import IN_IMPORT, Loops
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.running.solo import Solo
from forge_jobs.runtime.running.sync_threads import SyncThread
from forge_jobs.runtime.running.worker import Worker
from forge_jobs.signals import worker_abandoned


class Side(NamedTuple):
    """Those who run jobs of some kinds: `who` they are, how many there are, and what they do."""

    who: str
    size: int
    busy: int
    kinds: Callable[[str], bool]
    started: int
    runs: Sequence[Run]


class Workers:
    """`hire(number)` makes one more worker; it is not started. Beside them run the `coroutines`."""

    def __init__(
        self,
        hire: Callable[[int], Worker],
        *,
        size: int,
        solo: Solo,
        ends: Ends,
        lifecycle: Lifecycle,
        coroutines: Coroutines,
        loops: Loops,
    ) -> None:
        self._hire = hire
        self.solo = solo
        self._coroutines = coroutines
        self._loops = loops
        self._ends = ends
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
        return sum(thread.is_alive() for thread in self.abandoned_threads)

    @property
    def threads(self) -> list[Thread]:
        """Those that run jobs, and have something to end in order."""
        return [*self.active, *self.loops]

    @property
    def loops(self) -> list[Thread]:
        return [*self._loops.in_order]

    @property
    def helping_threads(self) -> list[SyncThread]:
        return self._loops.threads

    def end_coroutines(self) -> None:
        """Let the loop end after what runs."""
        self._loops.end()

    def cancel_coroutines(self) -> bool:
        """End coroutines where they await; tells whether there are any."""
        return self._loops.cancel()

    def close(self) -> None:
        """Let the threads end that only help: nothing runs any more."""
        self._loops.close()

    @property
    def abandoned_threads(self) -> list[Thread]:
        return [*self.abandoned, *self._loops.stuck]

    @property
    def hang_in_imports(self) -> bool:
        """Whether all that still runs waits for modules, perhaps for one that is never made."""
        runs = self.runs()
        return bool(runs) and all(run.is_importing for run in runs)

    @property
    def apart(self) -> Apart:
        """What of the process's jobs is none of the workers'."""
        return self._coroutines.apart

    def runs(self) -> list[Run]:
        return [*self.of_threads(), *self._loops.runs()]

    def of_threads(self) -> list[Run]:
        """Those of which a thread each takes care."""
        current = [run for worker in self.active if (run := worker.current)]
        return [member for run in current for member in run.members if not member.has_ended]

    def sides(self) -> list[Side]:
        """The threads, and the loop beside them if there is one."""
        loops, apart = self._loops, self.apart.kinds
        sides = [
            Side(
                "workers",
                len(self.active),
                sum(worker.current is not None for worker in self.active),
                lambda kind: kind not in apart,
                sum(worker.jobs_started for worker in self.active),
                self.of_threads(),
            )
        ]
        if apart:
            who, size, runs = "places for coroutines", self._coroutines.size, loops.runs()
            started = loops.jobs_started()
            sides.append(Side(who, size, len(runs), apart.__contains__, started, runs))
        return sides

    def work_done(self) -> tuple[int, float]:
        """How many runs of threads have ended, and the seconds that they took."""
        jobs, seconds = self.given_up, 0.0
        for worker in self.active:
            jobs += worker.jobs_run
            seconds += worker.seconds
        return jobs, seconds

    def takers(self) -> int:
        """How many of them take jobs now."""
        return 1 if self.solo.is_on else len(self.active)

    def jobs_ended(self) -> int:
        """How many runs have ended, those of coroutines too."""
        return self.work_done()[0] + self._loops.jobs_run()

    def look_after(self) -> None:
        """End what has run for too long; give up the threads that do not react."""
        now = time.monotonic()
        self.abandoned = [worker for worker in self.abandoned if worker.is_alive()]
        for worker in list(self.active):
            if run := worker.current:
                run.look_after(now=now)
                if run.is_given_up:
                    self.abandon(worker, run)
        self._loops.look_after()

    def abandon(self, worker: Worker, run: Run) -> None:
        """Report the run as failed, whatever may still come of it, and let another worker begin."""
        self.abandoned.append(worker)
        self.given_up += len(run.members)
        run.let_go()
        self.active.remove(worker)
        for member in run.members:
            if member is run or member.end():
                stack = stacks.of_thread(worker)
                self._ends.give_up(member, saying="its thread was abandoned", stack=stack)
        worker_abandoned.send_robust(type(self), job=shown_job(run.job), stuck=self.stuck)
        if run.is_importing:
            # Others will wait for the module, and nobody knows whether it will ever be whole.
            self._lifecycle.give_up(IN_IMPORT)
        if not self._lifecycle.is_stopping:
            successor = self._hire(worker.number)
            successor.jobs_run, successor.seconds = worker.jobs_run, worker.seconds
            successor.jobs_started = worker.jobs_started
            self.active.append(successor)
            successor.start()
