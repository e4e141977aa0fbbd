"""The coroutines of a process, together: handed to a loop, watched over, and moved if it stands."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from contextlib import suppress
from threading import Lock
from typing import Any, Final

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.outcomes import Cancelled, Failed, Outcome
from forge_jobs.handlers.secrecy import shown_job
from forge_jobs.runtime.claiming.apart import Apart
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.running import run as runs
from forge_jobs.runtime.running import stacks
from forge_jobs.runtime.running.loop_thread import LoopThread
from forge_jobs.runtime.running.run import NEVER
from forge_jobs.runtime.running.stepping import CoroutineRun
from forge_jobs.runtime.running.sync_threads import SyncThread, SyncThreads
from forge_jobs.runtime.running.workers import IN_IMPORT
from forge_jobs.runtime.settlements import Finished, Settlements
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.signals import loop_blocked, worker_abandoned

NAMED_AFTER_SECONDS: Final = 1.0
"""What keeps a loop for longer is told of."""

ASKED_EVERY_SECONDS: Final = 0.5


class Coroutines:
    """Up to `size` at a time, of jobs of these `kinds`. The loop is made for the first of them."""

    def __init__(
        self,
        kinds: AbstractSet[str],
        *,
        size: int,
        threads: int,
        settlements: Settlements,
        lifecycle: Lifecycle,
        **options: Any,
    ) -> None:
        self.kinds = kinds
        self.size = size
        self.given_up = 0
        self._settlements = settlements
        self._lifecycle = lifecycle
        self._threads = SyncThreads(size=threads, fail=lifecycle.fail)
        self._options = {**options, "settlements": settlements, "fail": lifecycle.fail}
        self._lock = Lock()
        self._waiting: deque[ClaimedJob] = deque()
        self._handed = 0
        self._loops: list[LoopThread] = []
        """The last one takes jobs; those before it are left to what has blocked them."""
        self._named: CoroutineRun | None = None
        self._suspect: object = None
        self._asked_at = 0.0
        self._ended_loops_run = self._ended_loops_started = 0

    def put(self, job: ClaimedJob) -> None:
        with self._lock:
            self._handed += 1
            self._waiting.append(job)
            loop = self._loops[-1] if self._loops else self._hire()
        loop.look()

    @property
    def apart(self) -> Apart:
        """As whoever claims sees it."""
        return Apart(self.kinds, self.free, self.taken)

    @property
    def waiting(self) -> int:
        """How many have come and not begun."""
        return len(self._waiting)

    def taken(self) -> int:
        """How many jobs have come here in all, less what was given back before it began."""
        return self._handed

    def free(self) -> int:
        running = len(self._loops[-1].runs) if self._loops else 0
        return self.size - running - self.waiting

    def release_unstarted(self, *, queues: AbstractSet[str] | None = None) -> int:
        """Give back what waits here, of some queues or of all; returns how many jobs."""
        waiting: list[ClaimedJob] = []
        with self._lock:
            with suppress(IndexError):
                while True:
                    waiting.append(self._waiting.popleft())
            kept = [job for job in waiting if queues is not None and job.queue not in queues]
            released = [job for job in waiting if queues is None or job.queue in queues]
            self._waiting.extend(kept)
            self._handed -= len(released)
        for loop in self._loops[-1:]:
            loop.look()
        for job in released:
            self._settlements.release(job)
        return len(released)

    def runs(self) -> list[CoroutineRun]:
        return [run for loop in list(self._loops) for run in list(loop.runs.values())]

    def jobs_started(self) -> int:
        return self._ended_loops_started + sum(one.jobs_started for one in list(self._loops))

    def jobs_run(self) -> int:
        run = self._ended_loops_run + sum(one.jobs_run for one in list(self._loops))
        return self.given_up + run

    @property
    def loops(self) -> list[LoopThread]:
        """Those that have something to end in order."""
        return [loop for loop in list(self._loops) if not loop.is_given_up]

    @property
    def threads(self) -> list[SyncThread]:
        return list(self._threads.active)

    @property
    def stuck(self) -> list[EngineThread]:
        """The threads that nobody waits for."""
        left = [loop for loop in list(self._loops) if loop.is_given_up]
        return [thread for thread in (*left, *self._threads.given_up) if thread.is_alive()]

    def end(self) -> None:
        """Let the loop end after what runs."""
        for loop in self._loops:
            loop.end()

    def close(self) -> None:
        """End what goes on although its job is others', and let the other threads end."""
        for loop, run in self._each():
            run.is_broken_off = True
            loop.break_off(run)
        self._threads.end()

    def cancel(self) -> None:
        """End what runs where it awaits."""
        for loop in self._loops:
            for run in list(loop.runs.values()):
                loop.cancel(run)

    def look_after(self) -> None:
        """End what has run for too long; name what keeps the loop from the others, and move them.

        What has ended is closed where it awaits, whatever it does about it.
        """
        now = time.monotonic()
        for loop, run in self._each():
            run.look_after(now=now)
            if run.is_given_up and not run.is_broken_off:
                self._give_up(loop, run)
        for loop in self._loops[:-1]:
            if not loop.is_alive():
                self._forget(loop)
        for loop in self._loops[-1:]:
            self._look_at(loop, now=now)

    def _each(self) -> Iterator[tuple[LoopThread, CoroutineRun]]:
        for loop in list(self._loops):
            for run in list(loop.runs.values()):
                yield loop, run

    def _forget(self, loop: LoopThread) -> None:
        self._ended_loops_started += loop.jobs_started
        self._ended_loops_run += loop.jobs_run
        self._loops.remove(loop)

    def _look_at(self, loop: LoopThread, *, now: float) -> None:
        """See whether it comes round, and who is to blame if it does not."""
        if now - self._asked_at > ASKED_EVERY_SECONDS and loop.runs:
            self._asked_at = now
            loop.ask()
        blocker, since = loop.blocker()
        if since is None or now - since <= NAMED_AFTER_SECONDS:
            self._suspect = None
            return
        if blocker and blocker is not self._named:
            self._named = blocker
            self._name(loop, blocker, seconds=now - since)
        if now - since <= runs.GRACE_SECONDS:
            return
        if self._suspect != since:  # it may be that the whole process stood still
            self._suspect = since
            return
        if blocker is None:
            self._name(loop, None, seconds=now - since)
        self._replace(loop, blocker=blocker)

    def _name(self, loop: LoopThread, blocker: CoroutineRun | None, *, seconds: float) -> None:
        job = shown_job(blocker.job) if blocker else None
        loop_blocked.send_robust(type(self), job=job, seconds=seconds, stack=stacks.of_thread(loop))

    def _give_up(self, loop: LoopThread, run: CoroutineRun) -> None:
        """Report it as failed, whatever may still come of it, and keep nothing waiting for it."""
        self.given_up += 1
        outcome = _given_up(loop, run)
        has_moved = run.context.has_moved
        transition = self._settlements.settled(run.job, outcome, has_moved=has_moved)
        seconds = time.monotonic() - run.began_at
        self._settlements.put(Finished(run.job, transition, outcome, seconds))
        run.is_broken_off = True
        loop.break_off(run)
        hangs_in_import = run.is_importing
        if is_blocking := run.on_loop_since is not None:
            loop.is_given_up = True
            self._replace(loop, blocker=run)
        elif thread := self._threads.give_up(run.seat):
            is_blocking, hangs_in_import = True, thread.is_importing
        if is_blocking:
            stuck = len(self.stuck)
            worker_abandoned.send_robust(type(self), job=shown_job(run.job), stuck=stuck)
            if hangs_in_import:
                self._lifecycle.give_up(IN_IMPORT)

    def _replace(self, loop: LoopThread, *, blocker: CoroutineRun | None) -> None:
        """Leave a loop to what blocks it; the others that it runs go back with their attempt."""
        if loop.is_left:
            return
        for run in list(loop.runs.values()):
            if run is not blocker and run.end():
                self._settlements.break_off(run.job)
                run.is_broken_off = True
                loop.break_off(run)
        with self._lock:
            loop.leave()
            if not self._lifecycle.is_stopping:
                self._hire().look()

    def _hire(self) -> LoopThread:
        loop = LoopThread(
            len(self._loops) + 1,
            size=self.size,
            waiting=self._waiting,
            threads=self._threads,
            **self._options,
        )
        self._loops.append(loop)
        loop.start()
        return loop


def _given_up(loop: LoopThread, run: CoroutineRun) -> Outcome:
    if run.killed_at != NEVER:
        return Cancelled(run.context.cancelled.reason)
    return Failed(
        f"Timed out after {run.job.timeout_seconds:g} s and did not react within "
        f"{runs.GRACE_SECONDS:g} s more; it was given up.",
        traceback=_where_is(loop, run),
    )


def _where_is(loop: LoopThread, run: CoroutineRun) -> str:
    if run.on_loop_since is not None:
        return stacks.of_thread(loop)
    if run.seat.current_call:
        return stacks.of_thread(run.seat.thread)
    return stacks.of_coroutine(run.coroutine)
