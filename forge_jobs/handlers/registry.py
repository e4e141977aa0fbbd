"""Which handler runs which kind: `@job`, `register()` and the registry that they fill."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import (
    TYPE_CHECKING,
    Any,
    Concatenate,
    Final,
    Literal,
    NamedTuple,
    TypedDict,
    TypeVar,
    Unpack,
    overload,
)

from django.apps import apps

from forge_jobs.exceptions import InvalidHandler, UnknownKind
from forge_jobs.handlers.function import ContextHandler, FunctionHandler, R
from forge_jobs.handlers.handler import Exceptions, JobHandler, P
from forge_jobs.handlers.options import bring_into_shape
from forge_jobs.handlers.signature import refuse_no_function
from forge_jobs.wording import listed, meant, quoted

if TYPE_CHECKING:
    from forge_jobs.backoff import RetryPolicy
    from forge_jobs.conf.schedules import DeclaredSchedule
    from forge_jobs.context import JobContext

H = TypeVar("H", bound=JobHandler)


class HandlerOptions(TypedDict, total=False):
    """The options of `@job` that become attributes of the handler."""

    queue: str | None
    priority: int
    max_attempts: int | None
    timeout: timedelta | float | None
    expires_in: timedelta | float | None
    retry: RetryPolicy | None
    retry_on: Exceptions
    dead_on: Exceptions
    retry_for: timedelta | float | None
    warn_attempts: int | None
    atomic: bool
    concurrency_key: str | Callable[[dict[str, Any]], str | None] | None
    concurrency_limit: int
    max_concurrent_per_process: int | None
    redact: Collection[str]
    resident: bool
    validate: bool
    api: bool
    cron: str | None
    every: timedelta | None
    timezone: str | None
    schedules: Sequence[DeclaredSchedule]


class FunctionOptions(HandlerOptions, total=False):
    """The same of a function, whose jobs may run in children."""

    isolation: Literal["process"] | None
    preload: str
    max_memory: int | None


@overload
def job(function: Callable[P, R], /) -> FunctionHandler[P, R]: ...


@overload
def job(
    *,
    kind: str | None = None,
    takes_context: Literal[True],
    **options: Unpack[FunctionOptions],
) -> Callable[[Callable[Concatenate[JobContext, P], R]], ContextHandler[P, R]]: ...


@overload
def job(
    *,
    kind: str | None = None,
    takes_context: Literal[False] = False,
    **options: Unpack[FunctionOptions],
) -> Callable[[Callable[P, R]], FunctionHandler[P, R]]: ...


def job(
    function: Callable[..., Any] | None = None,
    /,
    *,
    kind: str | None = None,
    takes_context: bool = False,
    **options: Unpack[FunctionOptions],
) -> Any:
    """Make a function the handler of a kind, `"<app label>.<function name>"` unless given.

    The job's payload becomes the function's keyword arguments; with `takes_context=True` a
    `JobContext` comes first. The handler is enqueued with the function's arguments, and called as
    it is. The function may be `async`, and may return or raise an outcome.
    Raises `InvalidHandler` or `InvalidSchedule`, which name the `field`.
    """

    def decorate(function: Callable[..., Any]) -> FunctionHandler[..., Any]:
        refuse_no_function(function)
        make = ContextHandler if takes_context else FunctionHandler
        handler: FunctionHandler[..., Any] = make(
            function,
            kind=default_kind(function) if kind is None else kind,
            takes_context=takes_context,
        )
        known = FunctionOptions.__annotations__
        give(handler, options, by="job()", known=known, also=("kind", "takes_context"))
        return registry.add(handler)

    return decorate if function is None else decorate(function)


def register(handler: H) -> H:
    """Let `handler` run the jobs of its kind; one class may serve many kinds, by instance."""
    frame = sys._getframe(1)
    handler.place = f"{frame.f_code.co_filename}:{frame.f_lineno}"
    return registry.add(handler)


def give(
    handler: JobHandler,
    options: Mapping[str, Any],
    *,
    by: str,
    known: Collection[str] = HandlerOptions.__annotations__,
    also: Collection[str] = (),
) -> None:
    """Set the options that were given to `by`, which has `also` others of its own.

    Raises `InvalidHandler` for one that there is not.
    """
    for name, value in options.items():
        if name not in known:
            names = [*also, *known]
            raise InvalidHandler(
                f"{by} has no option {name!r}.{meant(name, names)} It knows {listed(names)}.",
                field=name,
            )
        setattr(handler, name, value)


class Clash(NamedTuple):
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
        self.found_in: set[str] = set()
        """The files that have registered handlers while the apps were loaded."""

    def add(self, handler: H) -> H:
        bring_into_shape(handler)
        if handler.isolation:
            from forge_jobs.handlers.isolation import children_of

            handler.pool = children_of(handler)
        older = self._handlers.get(handler.kind)
        if older is not None and older.place != handler.place:
            self.clashes.append(Clash(handler.kind, older.place, handler.place))
        self._handlers[handler.kind] = handler
        if not apps.ready:
            self.found_in.add(handler.place.rpartition(":")[0])
        return handler

    def get(self, kind: object) -> JobHandler:
        """The handler of a kind, or of the kind of a handler; raises `UnknownKind`."""
        name = kind.kind if isinstance(kind, JobHandler) else kind
        handler = self._handlers.get(name) if isinstance(name, str) else None
        if handler is None:
            raise UnknownKind(self._told_unknown(kind), field="kind")
        return handler

    def find(self, kind: str) -> JobHandler | None:
        return self._handlers.get(kind)

    def kinds(self) -> list[str]:
        return sorted(self._handlers)

    def handlers(self) -> list[JobHandler]:
        return list(self._handlers.values())

    def _told_unknown(self, kind: object) -> str:
        if isinstance(kind, str):
            found = f"{meant(kind, self.kinds())} Known kinds: {listed(self.kinds())}."
            return f"kind {quoted(kind)} has no handler.{found}{self._told_missing()}"
        if isinstance(kind, JobHandler):
            return f"kind {quoted(kind.kind)} is that of a handler to be registered: register() it."
        for handler in self.handlers():
            if getattr(handler, "__wrapped__", self) is kind:
                return f"kind must be {handler!r}, not the function that it was made of."
        if isinstance(kind, type) and issubclass(kind, JobHandler):
            return f"kind must be an instance of {kind.__name__} that is registered, not the class."
        if callable(kind):
            name = getattr(kind, "__name__", "")
            return f"kind must be a handler, which {name or quoted(kind)} is not: give it @job."
        return f"kind must be a handler or the name of one, not {quoted(kind)}."

    def _told_missing(self) -> str:
        """Why kinds may be missing."""
        if not apps.ready:
            return " Those of jobs modules are registered by django.setup(), which has not ended."
        broken = listed(self.import_failures)
        return f" Those of {broken} are missing: it can't be imported." if broken != "none" else ""

    @contextmanager
    def isolated(self) -> Iterator[None]:
        """Forget at the end of a block what was registered in it; for tests."""
        handlers, clashes = dict(self._handlers), list(self.clashes)
        try:
            yield
        finally:
            self._handlers, self.clashes = handlers, clashes


registry: Final = Registry()


def default_kind(function: Callable[..., Any]) -> str:
    if function.__name__ == "<lambda>":
        raise InvalidHandler(
            "@job on a lambda, which has no name: define a function, or give a kind.", field="kind"
        )
    config = apps.get_containing_app_config(function.__module__)
    return f"{config.label if config else function.__module__}.{function.__name__}"
