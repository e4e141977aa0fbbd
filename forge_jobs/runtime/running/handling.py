"""Calls the handler of a run in the thread that asks: alone, in a transaction or in a child."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from contextlib import nullcontext
from contextvars import copy_context
from functools import partial
from typing import Any, Final, cast

from django.db import Error, transaction

from forge_jobs import db
from forge_jobs.db.rows import Transition
from forge_jobs.handlers import middleware
from forge_jobs.handlers.border import failed, own
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.isolation import children_of
from forge_jobs.handlers.outcomes import Done, Outcome, Released, Throttled
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job, Process
from forge_jobs.runtime import sessions
from forge_jobs.runtime.running import forks, transactions
from forge_jobs.runtime.running.aio import EventLoop
from forge_jobs.runtime.running.apart import Apart
from forge_jobs.runtime.running.failures import Failures
from forge_jobs.runtime.running.keeping import concluded
from forge_jobs.runtime.running.run import End, Run
from forge_jobs.states import State

NOTHING: Final = Done()
scan: Final = json.JSONDecoder().scan_once  # type: ignore[attr-defined] # not in stubs
LOCKED_SECONDS: Final = 1.0


def read_json(text: str) -> Any:
    """As `json.loads()` does it, without a look for white space around it: ours has none."""
    try:
        value, end = scan(text, 0)
    except StopIteration:
        return json.loads(text)
    return value if end == len(text) else json.loads(text)


def outcome_from(returned: object, run: Run) -> Outcome:
    """What a handler means by what it returned."""
    if returned is None:
        return NOTHING
    return run.heeding(own(returned)) if isinstance(returned, Outcome) else Done(returned)


class Handling:
    """For one thread, which keeps an event loop from one coroutine to the next.

    `refused(run)` is asked before the handler is called, `settled(run, outcome)` where what becomes
    of the job is stored with what the handler wrote.
    """

    def __init__(
        self,
        process: Process,
        *,
        refused: Callable[[Run], End | None],
        failures: Failures,
        settled: Callable[[Run, Outcome], Transition],
    ) -> None:
        self._process = process
        self._refused = refused
        self._failures = failures
        self._settled = settled
        self._layers = middleware.installed()
        self._loop: EventLoop | None = None

    def close(self) -> None:
        if self._loop:
            self._loop.close()

    def outcome_of(self, run: Run) -> End:
        """There is one whatever the handler does."""
        try:
            # A context of its own keeps what a handler activates (time zone, language) from the
            # next.
            return copy_context().run(self.run_handler, run)
        except BaseException as error:  # of looking at how it failed
            return failed(error), None

    def run_handler(self, run: Run) -> End:
        stored = None
        try:
            if refused := self._refused(run):
                return refused
            handler = registry.get(run.job.kind)
            if handler.pool is None:  # else it starts when a child has the job
                run.start_clock()
            if handler.isolation:
                outcome, stored = self.run_apart(handler, run)
            elif handler.atomic:
                outcome, stored = self.run_atomically(handler, run)
            else:
                outcome = self.call(handler, run)
        except Outcome as raised:
            outcome = run.heeding(own(raised))
        except BaseException as error:  # SystemExit ends a job, not its worker
            outcome = self._failures.outcome(run, error)
        if run.context.has_kept and not stored:
            outcome = concluded(run, outcome)
        return outcome, stored

    def run_apart(self, handler: JobHandler, run: Run) -> End:
        """In a child, where middleware and transactions are."""
        pool = handler.pool or children_of(handler)
        stopping = self._failures.stopping
        apart = Apart(run, pool, process=self._process.pk, stopping=stopping, settled=self._settled)
        outcome, stored = apart.held()
        return run.heeding(outcome), stored

    def run_here(self, handler: JobHandler, run: Run) -> End:
        """The same of one who is that child, or has none."""
        if handler.atomic:
            return self.run_atomically(handler, run)
        return self.call(handler, run), None

    def run_atomically(self, handler: JobHandler, run: Run) -> End:
        """Commit what the handler wrote together with the outcome that it returned.

        What it raises rolls its writes back, and so do a shutdown and the loss of the claim. That
        others were writing, where SQLite lets one at a time and PostgreSQL may refuse to
        serialize, costs no attempt.
        """
        connection, twin = db.connection(), db.twin()
        try:
            with transaction.atomic(using=connection.alias), twin.beginning_late(connection):
                outcome = self.call(handler, run)
                back = sessions.way_back(connection)
                transition, is_left = self._stored(run, outcome, back=back)
            if is_left:
                sessions.put_away(connection)
        except Error as error:
            if twin.is_locked(error):
                return Throttled(LOCKED_SECONDS, scope="job"), None
            raise
        return outcome, transition

    def _stored(self, run: Run, outcome: Outcome, *, back: bytes) -> tuple[Transition, bool]:
        """What became of the job, and whether its session was left.

        Raises `Released` if that is not for the handler to say.
        """
        if isinstance(outcome, Released):
            raise outcome
        transition = self._settled(run, outcome)
        states, is_left = Job.objects.finalize_and_commit(
            transition, process=self._process, back=back
        )
        if not states:
            raise Released
        return transition._replace(state=State(states[run.job.id])), is_left

    def call(self, handler: JobHandler, run: Run) -> Outcome:
        payload = read_json(run.job.payload)
        if handler.is_async:
            return outcome_from(self._in_the_loop(handler, run, payload), run)
        transactions.begin()
        with nullcontext() if handler.ends_itself else run:
            try:
                if self._layers:
                    handle = partial(handler.run, run.context, payload)
                    returned: object = self._layers.run(run.context, handle)
                else:
                    returned = handler.run(run.context, payload)
            finally:
                forks.leave()
        transactions.check()
        return NOTHING if returned is None else outcome_from(returned, run)

    def _in_the_loop(self, handler: JobHandler, run: Run, payload: dict[str, Any]) -> object:
        self._loop = self._loop or EventLoop()
        run.cancel_coroutine = self._loop.cancel
        coroutine = cast("Coroutine[Any, Any, object]", handler.run(run.context, payload))
        if self._layers:
            coroutine = self._layers.arun(run.context, coroutine)
        return self._loop.run(coroutine, timeout=run.job.timeout_seconds)
