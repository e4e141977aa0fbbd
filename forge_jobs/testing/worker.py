"""Calls handlers in the thread of a test, as a worker does in its own."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from contextvars import copy_context
from threading import Event
from typing import Any
from unittest import mock

from asgiref.sync import async_to_sync
from django.db import Error, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import clock, db
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.exceptions import JobTimedOut
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.outcomes import Outcome
from forge_jobs.models import Process
from forge_jobs.runtime.running.aio import EventLoop
from forge_jobs.runtime.running.beginning import Beginning
from forge_jobs.runtime.running.failures import Failures
from forge_jobs.runtime.running.handling import Handling
from forge_jobs.runtime.running.run import End, Run


class InlineFailures(Failures):
    drop_sessions = staticmethod(lambda: None)

    def outcome(self, run: Run, error: BaseException) -> Outcome:
        if isinstance(error, KeyboardInterrupt):  # whoever runs the tests
            raise error
        return super().outcome(run, error)


class InlineHandling(Handling):
    """Calls handlers in the thread of the test, whose connections are the test's.

    So nothing is ever raised in the middle of a handler, where it might meet a query: a job that
    took longer than its timeout is timed out when its handler returns.
    """

    def __init__(self, process: Process, **parts: Any) -> None:
        super().__init__(process, failures=InlineFailures(stopping=Event()), **parts)
        self._loop = InlineLoop()

    def outcome_of(self, run: Run) -> End:
        return copy_context().run(self.run_handler, run)

    run_apart = Handling.run_here  # a child would not see what the test has written

    def call(self, handler: JobHandler, run: Run) -> Outcome:
        began = clock.now()
        with nullcontext() if handler.atomic else _sparing_the_test():
            outcome = super().call(handler, run)
        limit = run.job.timeout_seconds
        if limit is not None and (clock.now() - began).total_seconds() > limit:
            raise JobTimedOut
        return outcome


@contextmanager
def _sparing_the_test() -> Iterator[None]:
    """Let the test's transaction live on, as a worker's handler has none around it.

    Where the database refuses a statement, all that the handler wrote is undone; closing a
    connection does nothing, as it does with SQLite in memory.
    """
    inside = [one for one in connections.all(initialized_only=True) if one.in_atomic_block]
    points = [(connection, connection.savepoint()) for connection in inside]
    with ExitStack() as kept_open:
        for connection in inside:
            kept_open.enter_context(mock.patch.object(connection, "close"))
        try:
            yield
        finally:
            for connection, point in points:
                _keep_or_undo(connection, point)


def _keep_or_undo(connection: BaseDatabaseWrapper, point: Any) -> None:
    try:
        connection.savepoint_commit(point)
    except Error:
        connection.set_rollback(False)
        connection.savepoint_rollback(point)


class InlineLoop(EventLoop):
    """Runs coroutines so that the ORM is called in the thread of the test."""

    def __init__(self) -> None: ...

    def run(self, coroutine: Coroutine[Any, Any, object], *, timeout: float | None) -> object:
        returned, error = async_to_sync(self._limited)(coroutine, timeout)
        if error is not None:
            raise error
        return returned

    def cancel(self) -> None:
        """Nobody kills a job that runs inline."""

    def close(self) -> None: ...


class LoneWorker(InlineHandling):
    """Settles nothing: there is no job in the database."""

    def __init__(self) -> None:
        process = Process(name="testing")
        beginning = Unrecorded(process, doors={}, writing=nullcontext(), stopping=Event())
        super().__init__(process, refused=beginning.refused, settled=_settled)

    def run_atomically(self, handler: JobHandler, run: Run) -> End:
        with transaction.atomic(using=db.connection().alias):
            return self.call(handler, run), None


class Unrecorded(Beginning):
    def _is_put_on_record(self, job: ClaimedJob) -> bool:
        return True


def _settled(run: Run, outcome: Outcome) -> Transition:
    """Asked by children of handlers that are atomic, and those run here."""
    raise NotImplementedError
