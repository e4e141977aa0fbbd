"""One thread that runs many coroutines at once, in one event loop."""

from __future__ import annotations

import asyncio
import json
import time
from asyncio import CancelledError, Task
from collections import deque
from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any, Final, TypeVar, cast

from forge_jobs.context import SHUTDOWN
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers.border import failed, own
from forge_jobs.handlers.outcomes import Cancelled, Done, Outcome, Released
from forge_jobs.handlers.registry import registry
from forge_jobs.runtime.running.aio import limited
from forge_jobs.runtime.running.keeping import concluded
from forge_jobs.runtime.running.run import NEVER
from forge_jobs.runtime.running.stepping import CoroutineRun, HelpersOfRuns, Stepped, make_task
from forge_jobs.runtime.running.sync_threads import Seat, SyncThreads
from forge_jobs.runtime.running.worker import NOTHING, Worker
from forge_jobs.runtime.settlements import Finished
from forge_jobs.signals import job_started

R = TypeVar("R")

NO_BUFFER: Final[Any] = None
"""What workers take from, one by one."""

GRACE_SECONDS: Final = 1.0
"""How long tasks that no job waits for may take to end with the loop."""


class LoopThread(Worker):
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
        **options: Any,
    ) -> None:
        super().__init__(number, buffer=NO_BUFFER, **options)
        self.name = f"forge_jobs-loop-{number}"
        self.runs: Final[dict[int, CoroutineRun]] = {}
        """By the id of the job as an object, for one that was given back may come again."""
        self.is_left = False
        """Whether another has taken its place, and it only ends what runs."""
        self.is_given_up = False
        """Whether what blocks it was given up, and may do so for ever."""
        self.answered_at: float | None = None
        """When it last came round; None if nothing runs."""
        self._size = size
        self._waiting = waiting
        self._threads = threads
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
            job, process_name=self._process.name, store=self._store, seat=Seat(self._threads)
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
            outcome, stored = await self._outcome_of(run)
            seconds = time.monotonic() - run.began_at
            if stored is None and type(outcome) in (Done, Released):
                stored = self.settled(run, outcome)
            elif stored is None:  # policies are the project's, and may take their time
                stored = await self._elsewhere(run, self.settled, run, outcome)
            if run.end():
                self._end(run, Finished(run.job, stored, outcome, seconds))
        except BaseException as error:
            self._fail_run(run, error)

    def _break(self, error: BaseException) -> None:
        """Let the job that ends this thread, and its process, spend its attempt for it."""
        for run in list(self.runs.values()):
            if run.on_loop_since is not None:
                self._fail_run(run, error)
            elif run.end():
                self.settlements.break_off(run.job)

    def _fail_run(self, run: CoroutineRun, error: BaseException) -> None:
        if run.end():
            failure = failed(error, saying="The run broke its loop")
            seconds = time.monotonic() - run.began_at
            self._end(run, Finished(run.job, self.settled(run, failure), failure, seconds))

    def _end(self, run: CoroutineRun, finished: Finished) -> None:
        self.jobs_run += 1
        del self.runs[id(run.job)]  # first: whoever hears of the end may claim for this place
        self.settlements.put(finished)

    def _leave(self, run: CoroutineRun) -> None:
        self.runs.pop(id(run.job), None)
        run.task = None
        run.leave()
        if not self.runs:
            self.answered_at = None
        self._admit()
        self._stop_if_over()

    async def _outcome_of(self, run: CoroutineRun) -> tuple[Outcome, Transition | None]:
        job = run.job
        if (door := self.doors.get(job.queue)) and not door.may_begin(job):
            return Released(), None
        is_to_be_told = job.is_on_record or job_started.has_listeners()
        if is_to_be_told and not await self._elsewhere(run, self.begins, run):
            return await self._elsewhere(run, self.unbegun, job)
        run.start_clock()
        try:
            outcome = await self._handled(run)
        except Outcome as raised:
            outcome = run.heeding(own(raised))
        except BaseException as error:
            if run.has_ended:
                raise
            outcome = await self._failure(run, error)
        if run.context.has_kept:
            outcome = await self._elsewhere(run, concluded, run, outcome)
        return outcome, None

    async def _failure(self, run: CoroutineRun, error: BaseException) -> Outcome:
        is_shut_down = run.context.cancelled.reason == SHUTDOWN and run.is_told_to_end
        if is_shut_down and isinstance(error, CancelledError) and run.killed_at == NEVER:
            return self.settlements.broken_off(run.job)
        try:
            return await self._elsewhere(run, self.failure, run, error)
        except Exception as fault:  # of looking at how it failed
            return failed(fault)

    async def _handled(self, run: CoroutineRun) -> Outcome:
        payload = json.loads(run.job.payload)
        handler = registry.get(run.job.kind)
        coroutine = cast("Coroutine[Any, Any, object]", handler.run(run.context, payload))
        if self.layers:
            coroutine = self.layers.arun(run.context, coroutine)
        run.is_in_handler = True
        try:
            if run.killed_at != NEVER:  # before anybody could be told
                coroutine.close()
                raise Cancelled(run.context.cancelled.reason)
            run.coroutine = coroutine
            returned, error = await limited(Stepped(coroutine, run), run.job.timeout_seconds)
        finally:
            run.is_in_handler, run.coroutine = False, None
        if error is not None:
            raise error
        if returned is None:
            return NOTHING
        return run.heeding(own(returned)) if isinstance(returned, Outcome) else Done(returned)

    async def _elsewhere(
        self, run: CoroutineRun, function: Callable[..., R], /, *arguments: Any
    ) -> R:
        """Call in the thread where the run's sessions are."""
        step = partial(copy_context().run, function, *arguments)
        return await asyncio.wrap_future(run.seat.send(step))

    def _close(self) -> None:
        """With all that jobs have left on the loop."""
        events = self._events
        if left := asyncio.all_tasks(events):
            for task in left:
                task.cancel()
            events.run_until_complete(asyncio.wait(left, timeout=GRACE_SECONDS))
        events.run_until_complete(events.shutdown_asyncgens())
        events.close()
