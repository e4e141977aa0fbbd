"""Which handler runs which kind: `@job`, `register()` and the registry that they fill."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypedDict, TypeVar, Unpack, overload

from django.apps import apps

from forge_jobs import redaction
from forge_jobs.backoff import RetryPolicy
from forge_jobs.conf.bounds import MAX_PRIORITY, MIN_PRIORITY
from forge_jobs.conf.schedules import DeclaredSchedule
from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import UnknownKind
from forge_jobs.handlers.handler import MAX_CONCURRENCY, UNSET, FunctionHandler, JobHandler

H = TypeVar("H", bound=JobHandler)


class HandlerOptions(TypedDict, total=False):
    """The options of `@job` that become attributes of the handler."""

    queue: str | None
    priority: int
    max_attempts: int | None
    timeout: timedelta | float | None
    retry: RetryPolicy | None
    atomic: bool
    concurrency_key: str | Callable[[dict[str, Any]], str | None] | None
    concurrency_limit: int
    max_concurrent_per_process: int | None
    redact: Collection[str]
    resident: bool
    cron: str | None
    every: timedelta | None
    timezone: str | None
    schedules: Sequence[DeclaredSchedule]


@overload
def job(function: Callable[..., Any], /) -> FunctionHandler: ...


@overload
def job(
    *, kind: str | None = None, takes_context: bool = False, **options: Unpack[HandlerOptions]
) -> Callable[[Callable[..., Any]], FunctionHandler]: ...


def job(
    function: Callable[..., Any] | None = None,
    /,
    *,
    kind: str | None = None,
    takes_context: bool = False,
    **options: Unpack[HandlerOptions],
) -> Any:
    """Make a function the handler of a kind, `"<app label>.<function name>"` unless given.

    The job's payload becomes the function's keyword arguments; with `takes_context=True` a
    `JobContext` comes first. The function may be `async`, and may return or raise an outcome.
    """

    def decorate(function: Callable[..., Any]) -> FunctionHandler:
        handler = FunctionHandler(
            function, kind=kind or _default_kind(function), takes_context=takes_context
        )
        for name, value in options.items():
            if name not in HandlerOptions.__annotations__:
                raise TypeError(f"job() has no option {name!r}.")
            setattr(handler, name, value)
        return registry.add(handler)

    return decorate(function) if function else decorate


def register(handler: H) -> H:
    """Let `handler` run the jobs of its kind; one class may serve many kinds, by instance."""
    frame = sys._getframe(1)
    handler.place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return registry.add(handler)


@dataclass(frozen=True)
class Clash:
    """Two places that claim the same kind; the newer one is in force."""

    kind: str
    older: str
    newer: str


class Registry:
    """All kinds that this process can run."""

    def __init__(self) -> None:
        self._handlers: dict[str, JobHandler] = {}
        self.clashes: list[Clash] = []
        self.import_failures: dict[str, Exception] = {}

    def add(self, handler: H) -> H:
        _refuse_bad_options(handler)
        older = self._handlers.get(handler.kind)
        if older is not None and older.place != handler.place:
            self.clashes.append(Clash(handler.kind, older.place, handler.place))
        self._handlers[handler.kind] = handler
        return handler

    def get(self, kind: str) -> JobHandler:
        try:
            return self._handlers[kind]
        except KeyError:
            known = ", ".join(self.kinds()) or "none"
            raise UnknownKind(
                f"kind {kind!r} has no handler. Known kinds: {known}.", field="kind"
            ) from None

    def find(self, kind: str) -> JobHandler | None:
        return self._handlers.get(kind)

    def kinds(self) -> list[str]:
        return sorted(self._handlers)

    def handlers(self) -> list[JobHandler]:
        return list(self._handlers.values())

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Forget at the end of a block what was registered in it; for tests."""
        handlers, clashes = dict(self._handlers), list(self.clashes)
        try:
            yield
        finally:
            self._handlers, self.clashes = handlers, clashes


registry: Final = Registry()


def _default_kind(function: Callable[..., Any]) -> str:
    config = apps.get_containing_app_config(function.__module__)
    return f"{config.label if config else function.__module__}.{function.__name__}"


def _refuse_bad_options(handler: JobHandler) -> None:
    if not isinstance(handler, JobHandler):
        raise TypeError(f"register() takes an instance of a JobHandler, not {handler!r}.")
    kind = getattr(handler, "kind", None)
    if not isinstance(kind, str) or not 0 < len(kind) <= 200:
        raise ValueError(f"kind must be a string of 1 to 200 characters, not {kind!r}.")
    if type(handler.priority) is not int or not MIN_PRIORITY <= handler.priority <= MAX_PRIORITY:
        raise ValueError(
            f"priority of {kind} must be a whole number from {MIN_PRIORITY} to {MAX_PRIORITY}, "
            f"not {handler.priority!r}."
        )
    limit = handler.max_attempts
    if limit is not None and limit is not UNSET and not (type(limit) is int and limit >= 1):
        raise ValueError(
            f"max_attempts of {kind} must be 1 or more, or None for no limit, not {limit!r}."
        )
    limit = handler.concurrency_limit
    if type(limit) is not int or not 1 <= limit <= MAX_CONCURRENCY:
        raise ValueError(
            f"concurrency_limit of {kind} must be 1 to {MAX_CONCURRENCY:,}, not {limit!r}."
        )
    limit = handler.max_concurrent_per_process
    if limit is not None and not (type(limit) is int and limit >= 1):
        raise ValueError(
            f"max_concurrent_per_process of {kind} must be 1 or more, or None for no limit, "
            f"not {limit!r}."
        )
    if handler.timeout is not None:
        handler.timeout = as_timedelta(handler.timeout, field=f"timeout of {kind}")
        if not handler.timeout:
            raise ValueError(f"timeout of {kind} must be longer than 0 seconds.")
    if handler.retry is not None and not callable(handler.retry):
        raise TypeError(f"retry of {kind} must be a policy of forge_jobs.backoff or a callable.")
    handler.redact = redaction.names(handler.redact, field=f"redact of {kind}")
    if handler.atomic and handler.is_async:
        raise TypeError(f"{kind} can't be atomic: Django has no transactions in async code.")
    schedules = handler.declared_schedules()
    if handler.resident:
        handler.check({})  # nobody is there who could give it a payload
        if schedules:
            raise TypeError(f"{kind} can't have schedules: it is resident.")
