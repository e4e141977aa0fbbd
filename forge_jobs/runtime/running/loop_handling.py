"""Calls the handler of a run on a loop; what is synchronous about it is done elsewhere."""

from __future__ import annotations

import asyncio
import json
from asyncio import CancelledError
from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import partial
from typing import Any, TypeVar, cast

from forge_jobs.context import SHUTDOWN
from forge_jobs.handlers import middleware
from forge_jobs.handlers.border import failed, own
from forge_jobs.handlers.outcomes import Cancelled, Done, Outcome, Released
from forge_jobs.handlers.registry import registry
from forge_jobs.runtime.running.aio import limited
from forge_jobs.runtime.running.beginning import Beginning
from forge_jobs.runtime.running.ends import Ends
from forge_jobs.runtime.running.failures import Failures
from forge_jobs.runtime.running.handling import outcome_from
from forge_jobs.runtime.running.keeping import concluded
from forge_jobs.runtime.running.run import NEVER, End
from forge_jobs.runtime.running.stepping import CoroutineRun, Stepped
from forge_jobs.runtime.settlements import Finished

R = TypeVar("R")


class LoopHandling:
    """What `Handling` is for a thread. The sessions of a run are where its seat is."""

    def __init__(self, *, beginning: Beginning, failures: Failures, ends: Ends) -> None:
        self._beginning = beginning
        self._failures = failures
        self._ends = ends
        self._layers = middleware.installed()

    async def finished(self, run: CoroutineRun) -> Finished:
        """What the run came to, whatever its handler does."""
        outcome, stored = await self._outcome_of(run)
        if stored or type(outcome) in (Done, Released):
            return self._ends.finished(run, outcome, stored)
        # Policies are the project's, and may take their time.
        return await self._elsewhere(run, self._ends.finished, run, outcome)

    async def _outcome_of(self, run: CoroutineRun) -> End:
        refused = self._beginning.refused
        if self._beginning.takes_its_time(run.job):
            end = await self._elsewhere(run, refused, run)
        else:
            end = refused(run)
        if end:
            return end
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
            return self._ends.broken_off(run.job)
        try:
            return await self._elsewhere(run, self._failures.outcome, run, error)
        except Exception as fault:  # of looking at how it failed
            return failed(fault)

    async def _handled(self, run: CoroutineRun) -> Outcome:
        payload = json.loads(run.job.payload)
        handler = registry.get(run.job.kind)
        coroutine = cast("Coroutine[Any, Any, object]", handler.run(run.context, payload))
        if self._layers:
            coroutine = self._layers.arun(run.context, coroutine)
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
        return outcome_from(returned, run)

    async def _elsewhere(
        self, run: CoroutineRun, function: Callable[..., R], /, *arguments: Any
    ) -> R:
        """Call in the thread where the run's sessions are."""
        step = partial(copy_context().run, function, *arguments)
        return await asyncio.wrap_future(run.seat.send(step))
