"""A worker without a thread of its own."""

from __future__ import annotations

from collections.abc import Coroutine
from contextvars import copy_context
from threading import Event
from typing import Any

from asgiref.sync import async_to_sync
from django.db import transaction

from forge_jobs import clock, db
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.exceptions import JobTimedOut
from forge_jobs.handlers import middleware
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.outcomes import Outcome
from forge_jobs.runtime.running.aio import EventLoop
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.running.worker import Worker
from forge_jobs.runtime.thread import EngineThread


class InlineWorker(Worker):
    """Runs in the thread of the test, whose connections are the test's.

    So nothing is ever raised in the middle of a handler, where it might meet a query: a job that
    took longer than its timeout is timed out when its handler returns.
    """

    tidy = drop_sessions = staticmethod(lambda: None)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._loop = InlineLoop()

    def outcome_of(self, run: Run) -> tuple[Outcome, Transition | None]:
        return copy_context().run(self.run_handler, run)

    def failure(self, run: Run, error: BaseException) -> Outcome:
        if isinstance(error, KeyboardInterrupt):  # whoever runs the tests
            raise error
        return super().failure(run, error)

    def call(self, handler: JobHandler, run: Run) -> Outcome:
        began = clock.now()
        outcome = super().call(handler, run)
        limit = run.job.timeout_seconds
        if limit is not None and (clock.now() - began).total_seconds() > limit:
            raise JobTimedOut
        return outcome


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


class LoneWorker(InlineWorker):
    """Settles nothing: there is no job in the database."""

    def __init__(self) -> None:
        EngineThread.__init__(self, "testing", fail=lambda reason: None)
        self._claiming_stops = Event()
        self._layers = middleware.installed()
        self._loop = InlineLoop()

    def may_begin(self, job: ClaimedJob) -> bool:
        return True

    def run_atomically(self, handler: JobHandler, run: Run) -> tuple[Outcome, Transition | None]:
        with transaction.atomic(using=db.connection().alias):
            return self.call(handler, run), None
