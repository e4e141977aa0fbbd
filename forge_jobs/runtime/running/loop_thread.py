"""One thread that runs many coroutines at once, in one event loop."""

from __future__ import annotations

import asyncio
import time
from asyncio import Task
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Final

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.running.ends import Ends
from forge_jobs.runtime.running.keeping import Claimed
from forge_jobs.runtime.running.loop_handling import LoopHandling
from forge_jobs.runtime.running.stepping import CoroutineRun, HelpersOfRuns, make_task
from forge_jobs.runtime.running.sync_threads import Seat, SyncThreads
from forge_jobs.runtime.settlements import Finished
from forge_jobs.runtime.thread import HandlersThread

GRACE_SECONDS: Final = 1.0
"""How long tasks that no job waits for may take to end with the loop."""


class LoopThread(HandlersThread):
    """A worker for up to `size` jobs at a time. What is synchronous about a run it does elsewhere.

    It takes from `waiting`, and is told by `look()` that there may be something.
    """

    def __init__(
        self,
        number: int,
        *,
        size: int,
        waiting: deque[ClaimedJob],
        threads: SyncThreads,
        handling: LoopHandling,
        ends: Ends,
        process_name: str,
        store: Claimed,
        fail: Callable[[str], None],
    ) -> None:
        super().__init__(f"loop-{number}", fail=fail)
        self.runs: Final[dict[int, CoroutineRun]] = {}
        """By the id of the job as an object, for one that was given back may come again."""
        self.is_left = False
        """Whether another has taken its place, and it only ends what runs."""
        self.is_given_up = False
        """Whether what blocks it was given up, and may do so for ever."""
        self.answered_at: float | None = None
        """When it last came round; None if nothing runs."""
        self._size = size
        self.jobs_run = 0
        self.jobs_started = 0
        self._waiting = waiting
        self._threads = threads
        self._handling = handling
        self._ends = ends
        self._process_name = process_name
        self._store = store
        self._is_ending = False
        self._events = asyncio.new_event_loop()
        self._events.set_task_factory(make_task)
        self._events.set_default_executor(HelpersOfRuns(thread_name_prefix="forge_jobs-helper"))

    def look(self) -> None:
        self._tell(self._admit)

    def end(self) -> None:
        """End after what runs."""
        self._is_ending = True
        self._tell(self._stop_if_over)

    def leave(self) -> None:
        """Begin nothing more: another loop has taken this one's place."""
        self.is_left = True
        self._tell(self._stop_if_over)

    def ask(self) -> None:
        """Let it say that it comes round."""
        self._tell(self._answer)

    def blocker(self) -> tuple[CoroutineRun | None, float | None]:
        """Who is on the loop, and since when; if nobody, since when it has not come round."""
        for run in list(self.runs.values()):
            if (since := run.on_loop_since) is not None:
                return run, since
        return None, self.answered_at

    def cancel(self, run: CoroutineRun) -> None:
        """End a handler where it awaits."""
        self._tell(run.cancel)

    def break_off(self, run: CoroutineRun) -> None:
        """End a coroutine that the run has outlived, or that has outlived its run."""
        self._tell(run.break_off)

    def work(self) -> None:
        try:
            while not self._is_over:
                try:
                    self._events.run_forever()
                except (SystemExit, KeyboardInterrupt):  # of a task; who awaits it gets it as well
                    continue
        except BaseException as error:
            self._break(error)
            raise
        finally:
            self._close()

    @property
    def _is_over(self) -> bool:
        return (self._is_ending or self.is_left) and not self.runs

    def _tell(self, step: Callable[[], object]) -> None:
        with suppress(RuntimeError):  # it is closed
            self._events.call_soon_threadsafe(step)

    def _answer(self) -> None:
        self.answered_at = time.monotonic()

    def _stop_if_over(self) -> None:
        if self._is_over:
            self._events.stop()

    def _admit(self) -> None:
        while self._waiting and len(self.runs) < self._size and not self.is_left:
            try:
                job = self._waiting.popleft()
            except IndexError:  # it was given back in this moment
                return
            self._begin(job)

    def _begin(self, job: ClaimedJob) -> None:
        run = CoroutineRun(
            job, process_name=self._process_name, store=self._store, seat=Seat(self._threads)
        )
        run.cancel_coroutine = partial(self.cancel, run)
        self.runs[id(job)] = run
        self.jobs_started += 1
        if self.answered_at is None:
            self._answer()
        context = run.context_of_its_own()
        run.task = Task(self._live(run), loop=self._events, context=context)
        # Not at the end of what it does: one that is cancelled at once does nothing.
        run.task.add_done_callback(lambda task: self._leave(run))

    async def _live(self, run: CoroutineRun) -> None:
        """Whatever the handler does, there is an outcome, unless its run was ended elsewhere."""
        try:
            finished = await self._handling.finished(run)
            if run.end():
                self._end(run, finished)
        except BaseException as error:
            self._fail_run(run, error)

    def _break(self, error: BaseException) -> None:
        """Let the job that ends this thread spend its attempt for it, and no other."""
        for run in list(self.runs.values()):
            if run.on_loop_since is not None:
                self._fail_run(run, error)
            else:
                self._ends.break_off(run)

    def _fail_run(self, run: CoroutineRun, error: BaseException) -> None:
        if run.end():
            self._end(run, self._ends.broken(run, error, what="loop"))

    def _end(self, run: CoroutineRun, finished: Finished) -> None:
        self.jobs_run += 1
        del self.runs[id(run.job)]  # first: whoever hears of the end may claim for this place
        self._ends.put(finished)

    def _leave(self, run: CoroutineRun) -> None:
        self.runs.pop(id(run.job), None)
        run.task = None
        run.leave()
        if not self.runs:
            self.answered_at = None
        self._admit()
        self._stop_if_over()

    def _close(self) -> None:
        """With all that jobs have left on the loop."""
        events = self._events
        if left := asyncio.all_tasks(events):
            for task in left:
                task.cancel()
            events.run_until_complete(asyncio.wait(left, timeout=GRACE_SECONDS))
        events.run_until_complete(events.shutdown_asyncgens())
        events.close()
