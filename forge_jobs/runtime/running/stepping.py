"""The steps of a coroutine, from one await to the next: whose they are, and what ends them."""

from __future__ import annotations

import asyncio
import time
from asyncio import AbstractEventLoop, CancelledError, Task
from collections.abc import Callable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any, Final, Self

from asgiref.sync import SyncToAsync, ThreadSensitiveContext

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.running.aio import Helpers
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.running.sync_threads import Seat
from forge_jobs.sets.stores import Store

LONG_STEP_SECONDS: Final = 0.5
"""Of a step that lasts for longer nobody expects that it will end where it awaits."""


class CoroutineRun(Run):
    """A run that shares its thread with others: it is on the loop between two awaits only.

    What is to end is cancelled where it awaits. Only what stays on the loop, or in a synchronous
    call, is struck as in a thread.
    """

    def __init__(self, job: ClaimedJob, *, process_name: str, store: Store, seat: Seat) -> None:
        super().__init__(job, process_name=process_name, store=store)
        self.seat = seat
        self.on_loop_since: float | None = None
        self.is_broken_off = False
        """Whether its coroutine is not to go on, whatever it does about being cancelled."""
        self.is_in_handler = self.is_told_to_end = False
        self.task: Task[None] | None = None
        self.coroutine: Coroutine[Any, Any, object] | None = None
        self._helpers: Helpers | None = None

    @property
    def helpers(self) -> Helpers:
        """The threads to which the handler sends what is not for the one of the ORM."""
        if self._helpers is None:
            self._helpers = Helpers(thread_name_prefix="forge_jobs-helper")
        return self._helpers

    def __enter__(self) -> Self:
        self.on_loop_since = time.monotonic()
        return super().__enter__()

    def __exit__(self, *exc_info: object) -> None:
        super().__exit__(*exc_info)
        self.on_loop_since = None

    def strike(self, exception: type[BaseException]) -> None:
        self.seat.strike(exception, begun_before=min(self.due_at, self.killed_at))
        if self.seconds_on_loop(now=time.monotonic()) > LONG_STEP_SECONDS:
            super().strike(exception)

    def seconds_on_loop(self, *, now: float) -> float:
        """How long it has kept all others waiting; 0 if it does not."""
        since = self.on_loop_since
        return 0.0 if since is None else max(0.0, now - since)

    def cancel(self) -> None:
        """Called on the loop: end the handler where it awaits, once."""
        if self.task and self.is_in_handler and not self.is_told_to_end:
            self.is_told_to_end = True
            self.task.cancel()

    def break_off(self) -> None:
        """Called on the loop: the run has ended, and so has its coroutine."""
        self.is_broken_off = True
        if self.task:
            self.task.cancel()

    def leave(self) -> None:
        """Called on the loop: let others have its threads."""
        self.seat.leave()
        if self._helpers:
            self._helpers.shutdown(wait=False)

    def context_of_its_own(self) -> Context:
        """What its task and all that this starts run in: their calls go to its seat."""
        context = copy_context()
        context.run(current.set, self)
        thread = ThreadSensitiveContext()
        context.run(SyncToAsync.thread_sensitive_context.set, thread)
        SyncToAsync.context_to_thread_executor[thread] = self.seat
        return context


current: Final[ContextVar[CoroutineRun | None]] = ContextVar("current", default=None)


class Stepped(Coroutine[Any, Any, Any]):
    """A coroutine of a handler's: its run is known to be on the loop while a step of it lasts."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], run: CoroutineRun) -> None:
        self._coroutine = coroutine
        self._run = run

    def __getattr__(self, name: str) -> Any:
        return getattr(self._coroutine, name)

    def __await__(self) -> Self:
        return self

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        return self._step(self._coroutine.send, None)

    def send(self, value: Any) -> Any:
        return self._step(self._coroutine.send, value)

    def throw(self, *error: Any) -> Any:
        return self._step(self._coroutine.throw, *error)

    def close(self) -> None:
        self._coroutine.close()

    def _step(self, step: Callable[..., Any], *arguments: Any) -> Any:
        run = self._run
        if run.is_broken_off:
            _end(self._coroutine)
            raise CancelledError
        if run.on_loop_since is not None or run.has_ended:  # a step within a step; a leftover
            return step(*arguments)
        with run:
            return step(*arguments)


def _end(coroutine: Coroutine[Any, Any, Any]) -> None:
    """Whatever it does about it: one that goes on awaiting is dropped where it is."""
    with suppress(BaseException):  # what it has to say is refused, like all that it says now
        coroutine.close()


def make_task(loop: AbstractEventLoop, coroutine: Any, **options: Any) -> Task[Any]:
    """A task that is known to be of the run whose code makes it, if it is of one."""
    context: Context | None = options.get("context")
    run = context.get(current) if context else current.get()
    if run and asyncio.iscoroutine(coroutine):
        coroutine = Stepped(coroutine, run)
    return Task(coroutine, loop=loop, **options)


class HelpersOfRuns(ThreadPoolExecutor):
    """A loop's helpers, each run's apart: what is stuck, or left in a session, is its own alone."""

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        if (run := current.get()) and not run.has_ended:
            return run.helpers.submit(function, *args, **kwargs)
        return super().submit(function, *args, **kwargs)
