"""The same helpers as methods, for those who write `unittest`'s words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any

from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.outcomes import Outcome
from forge_jobs.models import Job
from forge_jobs.testing.clocks import FrozenClock, frozen_at
from forge_jobs.testing.enqueued import assert_enqueued, assert_not_enqueued
from forge_jobs.testing.ran import Drained
from forge_jobs.testing.runs import drain, run


class JobsMixin:
    """For any `TestCase` of Django's."""

    def drain_jobs(
        self,
        *,
        queues: Iterable[str] | None = None,
        until: Callable[[], bool] | None = None,
        max_jobs: int | None = None,
    ) -> Drained:
        return drain(queues=queues, until=until, max_jobs=max_jobs)

    def run_job(
        self, handler: str | JobHandler, payload: dict[str, Any] | None = None, **options: Any
    ) -> Outcome:
        return run(handler, payload, **options)

    def assertEnqueued(self, handler: str | JobHandler, /, **payload: Any) -> Job:  # noqa: N802 - as unittest has it
        return assert_enqueued(handler, **payload)

    def assertNotEnqueued(self, handler: str | JobHandler, /, **payload: Any) -> None:  # noqa: N802 - as unittest has it
        assert_not_enqueued(handler, **payload)

    def jobs_frozen_at(self, moment: datetime) -> AbstractContextManager[FrozenClock]:
        return frozen_at(moment)
