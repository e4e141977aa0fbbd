"""What `@task` makes of a function: Django's `Task`, with the options that a job has beside."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Self, TypedDict, Unpack

from forge_jobs.backend.api import AnyTask
from forge_jobs.backoff import RetryPolicy
from forge_jobs.handlers.handler import UNSET, Exceptions, OnDuplicate, Unset


class TaskChanges(TypedDict, total=False):
    """What `using()` may change for the tasks that are enqueued through it."""

    priority: int | None
    queue_name: str | None
    run_after: datetime | timedelta | None
    backend: str | None
    max_attempts: int | Unset | None
    timeout: timedelta | float | None
    expires_at: datetime | None
    expires_in: timedelta | float | None
    on_duplicate: OnDuplicate
    labels: Iterable[str]
    dedupe_key: str | None
    idempotency_key: str | None
    concurrency_key: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobTask(AnyTask):
    """From Django 6.1 on, and with django-tasks: `@task(max_attempts=3, timeout=60)`.

    The options are those of `@job`. With neither `max_attempts` nor `retry_for` a task runs once,
    or as often as the backend's `OPTIONS` say. `run_after` may also be a duration, from when it is
    enqueued.
    """

    max_attempts: int | Unset | None = UNSET
    timeout: timedelta | float | None = None
    expires_in: timedelta | float | None = None
    expires_at: datetime | None = None
    retry: RetryPolicy | None = None
    retry_on: Exceptions = ()
    dead_on: Exceptions = ()
    retry_for: timedelta | float | None = None
    warn_attempts: int | None = None
    atomic: bool = False
    concurrency_key: str | Callable[[dict[str, Any]], str | None] | None = None
    concurrency_limit: int = 1
    max_concurrent_per_process: int | None = None
    redact: Collection[str] = ()
    dedupe_key: str | None = None
    idempotency_key: str | None = None
    on_duplicate: OnDuplicate = "keep"
    labels: Iterable[str] = ()

    def using(self, **changes: Unpack[TaskChanges]) -> Self:
        """The same task with other options; what is None stays as it is."""
        given: dict[str, Any] = {
            name: value for name, value in changes.items() if value is not None
        }
        if "max_attempts" in changes:  # where None means "no limit"
            given["max_attempts"] = changes["max_attempts"]
        return replace(self, **given)

    def attempts(self, *, otherwise: int | None) -> int | None:
        """How many it is granted, None for no limit; as for `@job`, `retry_for` alone sets none."""
        if isinstance(self.max_attempts, Unset):
            return None if self.retry_for else otherwise
        return self.max_attempts
