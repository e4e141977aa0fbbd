"""What a handler is: a kind, its options, and the code that runs its jobs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, Never, ParamSpec, TypedDict, Unpack

from asgiref.sync import sync_to_async

from forge_jobs.exceptions import InvalidPayload
from forge_jobs.handlers.signature import by_name

if TYPE_CHECKING:
    from forge_jobs.backoff import RetryPolicy
    from forge_jobs.children.pool import Pool
    from forge_jobs.conf.schedules import DeclaredSchedule
    from forge_jobs.context import JobContext
    from forge_jobs.enqueueing.enqueue import EnqueuedJobs, NewJob
    from forge_jobs.enqueueing.place import Predecessors
    from forge_jobs.models import Batch, Job

P = ParamSpec("P")
"""What the jobs of a handler take."""

MAX_CONCURRENCY: Final = 1_000

OnDuplicate = Literal["keep", "replace", "postpone"]
"""What becomes of an unfinished job whose dedupe key another one is given."""

Exceptions = type[BaseException] | tuple[type[BaseException], ...]


class Unset(Enum):
    """Stands for "not given" where `None` means "no limit"."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET


class JobOptions(TypedDict, total=False):
    """What may be said of a job beside its kind and payload; see `forge_jobs.enqueue()`."""

    queue: str | None
    priority: int | None
    run_at: datetime | None
    delay: timedelta | float | None
    max_attempts: int | Unset | None
    timeout: timedelta | float | None
    dedupe_key: str | None
    idempotency_key: str | None
    concurrency_key: str | None
    context: dict[str, Any] | None
    batch: Batch | int | None
    after: Predecessors | None
    after_end: Predecessors | None
    after_failure: Predecessors | None
    expires_at: datetime | None
    expires_in: timedelta | float | None
    on_duplicate: OnDuplicate
    labels: Iterable[str]


class JobHandler:
    """Runs the jobs of one kind. Subclass it, give `kind` and `run`, and `register()` instances.

    The options are attributes of the class or of the instance. `max_attempts` is `None` for no
    limit, `retry` falls back to the queue's policy, and `atomic` makes the handler's writes to
    the job database and the outcome commit together.

    A job that has not begun within `expires_in` after it was due, or enqueued, is cancelled.

    An exception of a class in `dead_on` is final, and where there is `retry_on`, so is every other
    than those. What fails later than `retry_for` after it was enqueued is not tried again. Of a
    job's failures those beyond the first `warn_attempts` are logged as errors, though another
    attempt follows.

    Of all jobs with the same `concurrency_key`, a text or a function of the payload, no more than
    `concurrency_limit` run at once in the whole cluster, the oldest first. No process runs more
    than `max_concurrent_per_process` jobs of the kind at once, so that one slow dependency can't
    take every thread.

    What stands under a name of `redact`, at any depth of payload, context or result, is hidden from
    people and from receivers of signals, never from the handler.

    `cron` or `every`, with a `timezone`, or a list of `schedules`, let its jobs be made by
    themselves; see `forge_jobs.schedule()`.

    Of a `resident` handler there is always exactly one job, made by forge_jobs itself: it takes no
    arguments, can only snooze, and is tried again for ever when it fails.

    A function that `validate`s has its arguments checked against their annotations when a job is
    enqueued, and gets what these say: dates, dataclasses, enumerations, models.

    Jobs of a kind that `keeps_process` say as long as they are kept which process ran them last.
    To one that `counts_interruptions` a run that has begun costs an attempt, even if its process
    broke it off in order or lost its session with the database; others get that attempt back.

    With `isolation="process"` jobs run in children, fresh interpreters of one kind each, which
    import `preload` first, and are replaced when they use more than `max_memory` bytes.

    One that `ends_itself` sees by its context that it is to end, and when: no exception is raised
    in its thread. The children of a `pool` are started before the first claim, and ended with the
    process. What is not `open_to_others` is enqueued by the project's own code alone; what is `api`
    is open to all who may enqueue by HTTP, and others to tokens that name them.
    """

    kind: str = ""
    queue: str | None = None
    priority: int = 0
    max_attempts: int | Unset | None = UNSET
    timeout: timedelta | None = None
    expires_in: timedelta | None = None
    retry: RetryPolicy | None = None
    retry_on: Exceptions = ()
    dead_on: Exceptions = ()
    retry_for: timedelta | None = None
    warn_attempts: int | None = None
    atomic: bool = False
    concurrency_key: str | Callable[[dict[str, Any]], str | None] | None = None
    concurrency_limit: int = 1
    max_concurrent_per_process: int | None = None
    redact: Collection[str] = ()
    resident: bool = False
    validate: bool = False
    keeps_process: bool = False
    counts_interruptions: bool = False
    ends_itself: bool = False
    open_to_others: bool = True
    api: bool = False
    isolation: str | None = None
    preload: str = ""
    max_memory: int | None = None
    pool: Pool | None = None
    cron: str | None = None
    every: timedelta | None = None
    timezone: str | None = None
    schedules: Sequence[DeclaredSchedule] = ()

    place: str = ""
    """Where it was registered, as `file:line`."""

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> object:
        """Do the work; return an outcome, a JSON value (the result), or nothing."""
        raise NotImplementedError(f"{type(self).__qualname__} must define run(ctx, payload).")

    def check(self, payload: dict[str, Any]) -> None:
        """Refuse a payload that `run` could not work with, by raising `InvalidPayload`."""

    def stored(self, payload: dict[str, Any]) -> dict[str, Any]:
        """The payload as it is stored; raises `InvalidPayload`."""
        self.check(payload)
        return payload

    @cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.run)

    def declared_schedules(self) -> list[DeclaredSchedule]:
        """Raises `InvalidSchedule`."""
        from forge_jobs.conf.schedules import of_handler

        return of_handler(
            self.kind,
            cron=self.cron,
            every=self.every,
            timezone=self.timezone,
            schedules=self.schedules,
        )

    def bound(self, args: Sequence[Any], payload: dict[str, Any]) -> dict[str, Any]:
        """The payload of a call that gives some of it by its place; raises `InvalidPayload`."""
        raise InvalidPayload(by_name(self.kind), field="payload")

    def using(self, **options: Unpack[JobOptions]) -> Enqueuer[...]:
        """The same handler with other options: `h.using(delay=60).enqueue(...)`."""
        return Enqueuer(self, options)

    def new(self, /, *positional: Never, **payload: Any) -> NewJob:
        """A job of this kind that is not stored yet, for `enqueue_many()`."""
        return Enqueuer(self, {}).new(*positional, **payload)

    def enqueue(self, /, *positional: Never, **payload: Any) -> Job:
        """Store a job of this kind; see `forge_jobs.enqueue()` for what it may raise."""
        return Enqueuer(self, {}).enqueue(*positional, **payload)

    def enqueue_many(self, payloads: Iterable[dict[str, Any]]) -> EnqueuedJobs:
        """Store one job a payload, thousands in one statement."""
        return Enqueuer(self, {}).enqueue_many(payloads)

    async def aenqueue(self, /, *positional: Never, **payload: Any) -> Job:
        return await Enqueuer(self, {}).aenqueue(*positional, **payload)

    async def aenqueue_many(self, payloads: Iterable[dict[str, Any]]) -> EnqueuedJobs:
        return await Enqueuer(self, {}).aenqueue_many(payloads)


class Enqueuer(Generic[P]):
    """A handler together with the options for the jobs that it will enqueue."""

    def __init__(self, handler: JobHandler, options: JobOptions) -> None:
        self.handler: Final = handler
        self.options: Final = options

    def new(self, /, *args: P.args, **payload: P.kwargs) -> NewJob:
        """A job that is not stored yet, for `enqueue_many()`; raises `InvalidPayload`."""
        from forge_jobs.enqueueing.enqueue import NewJob

        return NewJob(self.handler, self._payload(args, payload), **self.options)

    def enqueue(self, /, *args: P.args, **payload: P.kwargs) -> Job:
        """Store a job; see `forge_jobs.enqueue()` for what it may raise."""
        from forge_jobs.enqueueing.enqueue import enqueue

        return enqueue(self.handler, self._payload(args, payload), **self.options)

    def enqueue_many(self, payloads: Iterable[dict[str, Any]]) -> EnqueuedJobs:
        from forge_jobs.enqueueing.enqueue import enqueue_payloads

        return enqueue_payloads(self.handler, payloads, **self.options)

    async def aenqueue(self, /, *args: P.args, **payload: P.kwargs) -> Job:
        # a payload may have a name that is a parameter of asgiref's
        return await sync_to_async(partial(self.enqueue, *args, **payload))()

    async def aenqueue_many(self, payloads: Iterable[dict[str, Any]]) -> EnqueuedJobs:
        return await sync_to_async(self.enqueue_many)(payloads)

    def _payload(self, args: Sequence[Any], payload: dict[str, Any]) -> dict[str, Any]:
        return self.handler.bound(args, payload) if args else payload
