"""What a handler is: a kind, its options, and the code that runs its jobs."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from asgiref.sync import sync_to_async

from forge_jobs.backoff import RetryPolicy
from forge_jobs.conf.schedules import DeclaredSchedule, of_handler
from forge_jobs.exceptions import InvalidPayload

if TYPE_CHECKING:
    from forge_jobs.context import JobContext
    from forge_jobs.enqueueing.enqueue import EnqueuedJobs
    from forge_jobs.models import Job

MAX_CONCURRENCY: Final = 1_000


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


class JobHandler:
    """Runs the jobs of one kind. Subclass it, give `kind` and `run`, and `register()` instances.

    The options are attributes of the class or of the instance. `max_attempts` is `None` for no
    limit, `retry` falls back to the queue's policy, and `atomic` makes the handler's writes to
    the job database and the outcome commit together.

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

    Jobs of a kind that `keeps_process` say as long as they are kept which process ran them last.
    To one that `counts_interruptions` a run that has begun costs an attempt, even if its process
    broke it off in order or lost its session with the database; others get that attempt back.
    """

    kind: str
    queue: str | None = None
    priority: int = 0
    max_attempts: int | Unset | None = UNSET
    timeout: timedelta | None = None
    retry: RetryPolicy | None = None
    atomic: bool = False
    concurrency_key: str | Callable[[dict[str, Any]], str | None] | None = None
    concurrency_limit: int = 1
    max_concurrent_per_process: int | None = None
    redact: Collection[str] = ()
    resident: bool = False
    keeps_process: bool = False
    counts_interruptions: bool = False
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

    @cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.run)

    def declared_schedules(self) -> list[DeclaredSchedule]:
        """Raises `InvalidSchedule`."""
        return of_handler(
            self.kind,
            cron=self.cron,
            every=self.every,
            timezone=self.timezone,
            schedules=self.schedules,
        )

    def using(self, **options: Unpack[JobOptions]) -> Enqueuer:
        """The same handler with other options: `h.using(delay=60).enqueue(...)`."""
        return Enqueuer(self, options)

    def enqueue(self, **payload: Any) -> Job:
        """Store a job of this kind; see `forge_jobs.enqueue()` for what it may raise."""
        return Enqueuer(self, {}).enqueue(**payload)

    def enqueue_many(self, payloads: Iterable[dict[str, Any]]) -> EnqueuedJobs:
        """Store one job a payload, thousands in one statement."""
        return Enqueuer(self, {}).enqueue_many(payloads)

    async def aenqueue(self, **payload: Any) -> Job:
        return await Enqueuer(self, {}).aenqueue(**payload)

    async def aenqueue_many(self, payloads: Iterable[dict[str, Any]]) -> EnqueuedJobs:
        return await Enqueuer(self, {}).aenqueue_many(payloads)


class FunctionHandler(JobHandler):
    """What `@job` makes of a function: a handler that can still be called as the function."""

    def __init__(self, function: Callable[..., Any], *, kind: str, takes_context: bool) -> None:
        self.function = function
        self.kind = kind
        self.takes_context = takes_context
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        code = inspect.unwrap(function).__code__
        self.place = f"{code.co_filename}:{code.co_firstlineno}"
        self._parameters, self._required, self._open = self._keywords()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<job {self.kind}>"

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> object:
        if self.takes_context:
            return self.function(ctx, **payload)
        return self.function(**payload)

    @cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def check(self, payload: dict[str, Any]) -> None:
        given = payload.keys()
        if self._required <= given and (self._open or given <= self._parameters):
            return
        unexpected = set() if self._open else given - self._parameters
        faults = [
            *(f"{name!r} is missing" for name in sorted(self._required - given)),
            *(f"{name!r} is unexpected" for name in sorted(unexpected, key=str)),
        ]
        takes = ", ".join(sorted(self._parameters)) or "no arguments"
        raise InvalidPayload(
            f"payload does not fit {self.kind}: {', '.join(faults)}. It takes {takes}.",
            field="payload",
        )

    def _keywords(self) -> tuple[frozenset[str], frozenset[str], bool]:
        """The names a payload may have, those it must have, and whether it may have any."""
        name = self.function.__qualname__
        parameters = list(inspect.signature(self.function).parameters.values())
        if self.takes_context:
            if not parameters:
                raise TypeError(f"{name} takes_context, but has no parameter.")
            parameters = parameters[1:]
        if any(parameter.kind is parameter.POSITIONAL_ONLY for parameter in parameters):
            raise TypeError(
                f"{name} has positional-only parameters; a job's payload is passed by keyword."
            )
        variadic = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        named = [parameter for parameter in parameters if parameter.kind not in variadic]
        return (
            frozenset(parameter.name for parameter in named),
            frozenset(
                parameter.name for parameter in named if parameter.default is parameter.empty
            ),
            any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters),
        )


@dataclass(frozen=True)
class Enqueuer:
    """A handler together with the options for the jobs that it will enqueue."""

    handler: JobHandler
    options: JobOptions

    def enqueue(self, **payload: Any) -> Job:
        from forge_jobs.enqueueing.enqueue import enqueue

        return enqueue(self.handler, payload, **self.options)

    def enqueue_many(self, payloads: Iterable[dict[str, Any]]) -> EnqueuedJobs:
        from forge_jobs.enqueueing.enqueue import enqueue_payloads

        return enqueue_payloads(self.handler, payloads, **self.options)

    async def aenqueue(self, **payload: Any) -> Job:
        return await sync_to_async(self.enqueue)(**payload)

    async def aenqueue_many(self, payloads: Iterable[dict[str, Any]]) -> EnqueuedJobs:
        return await sync_to_async(self.enqueue_many)(payloads)
