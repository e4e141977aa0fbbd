"""The loops of a process: watched over, and replaced when what runs there keeps them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from threading import Lock
from typing import TYPE_CHECKING, Final

from forge_jobs.handlers.secrecy import shown_job
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.running import run as runs
from forge_jobs.runtime.running import stacks
from forge_jobs.runtime.running.ends import Ends
from forge_jobs.runtime.running.sync_threads import SyncThread, SyncThreads
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.signals import loop_blocked, worker_abandoned

if TYPE_CHECKING:
    from forge_jobs.runtime.running.loop_thread import LoopThread
    from forge_jobs.runtime.running.stepping import CoroutineRun

NAMED_AFTER_SECONDS: Final = 1.0
"""What keeps a loop for longer is told of."""

ASKED_EVERY_SECONDS: Final = 0.5

IN_IMPORT: Final = "a thread was given up in the middle of an import"


class Loops:
    """`hire(number)` makes one more loop, of which the first is made for the first coroutine.

    The last one takes jobs; those before it are left to what has blocked them. `threads` make the
    synchronous calls of what runs there.
    """

    def __init__(
        self,
        hire: Callable[[int], LoopThread],
        *,
        threads: SyncThreads,
        ends: Ends,
        lifecycle: Lifecycle,
    ) -> None:
        self._make = hire
        self._threads = threads
        self._ends = ends
        self._lifecycle = lifecycle
        self._lock = Lock()
        self._all: list[LoopThread] = []
        self._named: CoroutineRun | None = None
        self._suspect: object = None
        self._asked_at = 0.0
        self.given_up = 0
        self._past_jobs_run = self._past_jobs_started = 0

    def look(self) -> None:
        """Let it be seen that there is something to run."""
        with self._lock:
            loop = self._all[-1] if self._all else self._hire()
        loop.look()

    @property
    def taking(self) -> Sequence[LoopThread]:
        """The one that takes jobs, if there is one yet."""
        return self._all[-1:]

    def runs(self) -> list[CoroutineRun]:
        return [run for _, run in self._each()]

    def jobs_started(self) -> int:
        return self._past_jobs_started + sum(one.jobs_started for one in list(self._all))

    def jobs_run(self) -> int:
        run = self._past_jobs_run + sum(one.jobs_run for one in list(self._all))
        return self.given_up + run

    @property
    def in_order(self) -> list[LoopThread]:
        """Those that have something to end in order."""
        return [loop for loop in list(self._all) if not loop.is_given_up]

    @property
    def threads(self) -> list[SyncThread]:
        return list(self._threads.active)

    @property
    def stuck(self) -> list[EngineThread]:
        """The threads that nobody waits for."""
        left = [loop for loop in list(self._all) if loop.is_given_up]
        return [thread for thread in (*left, *self._threads.given_up) if thread.is_alive()]

    def end(self) -> None:
        """Let the loop end after what runs."""
        for loop in self._all:
            loop.end()

    def close(self) -> None:
        """End what goes on although its job is others', and let the other threads end."""
        for loop, run in self._each():
            run.is_broken_off = True
            loop.break_off(run)
        self._threads.end()

    def cancel(self) -> bool:
        """End what runs where it awaits; tells whether there is anything."""
        for loop, run in self._each():
            loop.cancel(run)
        return bool(self.runs())

    def look_after(self) -> None:
        """End what has run for too long; name what keeps the loop from the others, and move them.

        What has ended is closed where it awaits, whatever it does about it.
        """
        now = time.monotonic()
        for loop, run in self._each():
            run.look_after(now=now)
            if run.is_given_up and not run.is_broken_off:
                self._give_up(loop, run)
        for loop in self._all[:-1]:
            if not loop.is_alive():
                self._forget(loop)
        for loop in self.taking:
            self._look_at(loop, now=now)

    def _each(self) -> Iterator[tuple[LoopThread, CoroutineRun]]:
        for loop in list(self._all):
            for run in list(loop.runs.values()):
                yield loop, run

    def _forget(self, loop: LoopThread) -> None:
        self._past_jobs_started += loop.jobs_started
        self._past_jobs_run += loop.jobs_run
        self._all.remove(loop)

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
        """Report it as failed, and keep nothing waiting for it."""
        self.given_up += 1
        self._ends.give_up(run, saying="it was given up", stack=_where_is(loop, run))
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
            if run is not blocker and self._ends.break_off(run):
                run.is_broken_off = True
                loop.break_off(run)
        with self._lock:
            loop.leave()
            if not self._lifecycle.is_stopping:
                self._hire().look()

    def _hire(self) -> LoopThread:
        loop = self._make(len(self._all) + 1)
        self._all.append(loop)
        loop.start()
        return loop


def _where_is(loop: LoopThread, run: CoroutineRun) -> str:
    if run.on_loop_since is not None:
        return stacks.of_thread(loop)
    if run.seat.current_call:
        return stacks.of_thread(run.seat.thread)
    return stacks.of_coroutine(run.coroutine)
