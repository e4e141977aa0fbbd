"""A worker's own event loop, for `async def` handlers."""

import asyncio
from collections.abc import Awaitable, Coroutine
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import Context, copy_context
from typing import Any

from asgiref.sync import ThreadSensitiveContext, sync_to_async

from forge_jobs.exceptions import JobTimedOut
from forge_jobs.runtime.running import forks, transactions
from forge_jobs.runtime.sessions import close_all, tidy


class Helpers(ThreadPoolExecutor):
    """The threads to which one job sends work; their sessions are not for the next job."""

    have_helped = False

    def submit(self, *arguments: Any, **options: Any) -> Future[Any]:
        self.have_helped = True
        return super().submit(*arguments, **options)


class EventLoop:
    """Runs coroutines one after the other, in one loop, so that clients may outlive a job.

    The ORM's asynchronous methods run in a thread of this loop's own, with a connection of its
    own, not in the one that asgiref would share between all workers.
    """

    def __init__(self) -> None:
        self._runner = asyncio.Runner()
        self._context = copy_context()
        self._thread = ThreadSensitiveContext()
        self._task: asyncio.Task[object] | None = None
        self._run(self._thread.__aenter__(), self._context)  # type: ignore[no-untyped-call] # asgiref's
        self._helpers = self._new_helpers()

    def run(self, coroutine: Coroutine[Any, Any, object], *, timeout: float | None) -> object:
        """Run to the end, in a context of its own; clean up after it.

        Raises `JobTimedOut` after `timeout` seconds.
        """
        try:
            returned, error = self._run(self._limited(coroutine, timeout), self._context.copy())
        finally:
            self._task = None
            self._run(sync_to_async(tidy)(), self._context.copy())
            if self._helpers.have_helped:
                self._helpers.shutdown(wait=False)
                self._helpers = self._new_helpers()
        if error is not None:
            raise error
        return returned

    def cancel(self) -> None:
        """Cancel, from another thread, the coroutine that runs."""
        if task := self._task:
            self._runner.get_loop().call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        self._run(sync_to_async(close_all)(), self._context.copy())
        self._run(self._thread.__aexit__(None, None, None), self._context)  # type: ignore[no-untyped-call] # asgiref's
        self._runner.close()

    def _new_helpers(self) -> Helpers:
        helpers = Helpers(thread_name_prefix="forge_jobs-helper")
        self._runner.get_loop().set_default_executor(helpers)
        return helpers

    def _run(self, coroutine: Coroutine[Any, Any, Any], context: Context) -> Any:
        return self._runner.run(coroutine, context=context)

    async def _limited(
        self, coroutine: Coroutine[Any, Any, object], timeout: float | None
    ) -> tuple[object, BaseException | None]:
        self._task = asyncio.current_task()
        return await limited(coroutine, timeout)


async def limited(
    coroutine: Awaitable[object], timeout: float | None
) -> tuple[object, BaseException | None]:
    """What a handler's coroutine returned and raised; a task that itself raises may never end.

    That is how asyncio takes an exception whose `__class__` raises, and the loop stops for a
    `SystemExit`.
    """
    limit = asyncio.timeout(timeout)
    try:
        async with limit:
            return await _watched(coroutine), None
    except TimeoutError as error:
        return None, JobTimedOut() if limit.expired() else error
    except BaseException as error:
        return None, error


async def _watched(coroutine: Awaitable[object]) -> object:
    transactions.begin()
    try:
        returned = await coroutine
    finally:
        forks.leave()
    transactions.check()
    return returned
