"""What runs around each handler, and sees what is enqueued: `FORGE_JOBS["MIDDLEWARE"]`.

One generator serves handlers and coroutines alike: each of its steps is called by itself, for a
coroutine in the thread where its ORM calls are made.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Generator, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from asgiref.sync import sync_to_async
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from forge_jobs.conf import conf
from forge_jobs.handlers.border import own
from forge_jobs.handlers.outcomes import Done, Outcome
from forge_jobs.wording import quoted

if TYPE_CHECKING:
    from forge_jobs.context import JobContext

Around = Generator[None, Outcome, Outcome | None]

SETTING: Final = 'FORGE_JOBS["MIDDLEWARE"]'


@dataclass
class Incoming:
    """A job that is about to be stored; what is put into its `context` is kept with it."""

    kind: str
    queue: str
    payload: dict[str, Any]
    context: dict[str, Any]


Sees = Callable[[list[Incoming]], None]


class Middleware:
    """A generator function that yields once, where the handler runs.

    What it yields gives the outcome of the run, and what it returns is the outcome in its place,
    or None to leave it. An exception of the handler is raised at the yield, and goes on unless an
    outcome is returned. A generator that returns before it yields has the handler not run at all.
    """

    def __init__(self, function: Callable[[JobContext], Around]) -> None:
        if not inspect.isgeneratorfunction(function):
            raise ImproperlyConfigured(
                f"{SETTING}: {quoted(function)} must be a generator function, which takes the "
                f"context and yields once, where the handler runs."
            )
        self.function = function
        self.sees: Sees | None = None
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, ctx: JobContext) -> Around:
        return self.function(ctx)

    def __repr__(self) -> str:
        return f"<middleware {self.function.__module__}.{self.function.__qualname__}>"

    def enqueueing(self, function: Sees) -> Sees:
        """Let a function see the new jobs of each `enqueue()` and `enqueue_many()`, as a list."""
        if not callable(function) or inspect.iscoroutinefunction(function):
            raise ImproperlyConfigured(
                f"{self!r} can't show new jobs to {quoted(function)}: it must be a function, and "
                f"not async, which takes the list of them."
            )
        self.sees = function
        return function


def middleware(function: Callable[[JobContext], Around]) -> Middleware:
    """Make a generator function a middleware that may also have an `enqueueing` function."""
    return Middleware(function)


@dataclass(frozen=True)
class Layers:
    """All middleware of a project, the outermost first."""

    layers: tuple[Middleware, ...] = ()
    sees: tuple[Sees, ...] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "sees", tuple(one.sees for one in self.layers if one.sees))

    def __bool__(self) -> bool:
        return bool(self.layers)

    def run(self, ctx: JobContext, handle: Callable[[], object]) -> Outcome:
        """Call a handler within them; raises what it raised, unless one of them knew better."""
        entered: list[Entered] = []
        try:
            came = _begin_all(self.layers, ctx, entered)
            if came is None:
                came = _outcome(handle())
        except BaseException as error:
            came = _caught(error)
        return _settled(_end_all(entered, came))

    async def arun(self, ctx: JobContext, coroutine: Coroutine[Any, Any, object]) -> Outcome:
        """The same of a coroutine; their steps share a context, for what they set and reset."""
        entered: list[Entered] = []
        step = sync_to_async(partial(_step, copy_context()))
        try:
            came = await step(_begin_all, self.layers, ctx, entered)
            if came is None:
                came = _outcome(await coroutine)
        except BaseException as error:
            came = _caught(error)
        finally:
            coroutine.close()
        return _settled(await step(_end_all, entered, came))


class Entered(NamedTuple):
    """A middleware that waits for the handler."""

    middleware: Middleware
    generator: Around

    def end(self, came: Outcome | BaseException) -> Outcome | BaseException:
        """Go on with it; an exception goes on outward as a value."""
        try:
            if isinstance(came, Outcome):
                self.generator.send(came)
            else:
                self.generator.throw(came)
            self.generator.close()
        except StopIteration as over:
            return came if over.value is None else _chosen(over.value, self.middleware)
        except BaseException as error:
            if isinstance(came, StopIteration) and error.__cause__ is came:
                return came  # which no generator can let through as it is
            return _caught(error)
        return RuntimeError(f"{self.middleware!r} yields more than once.")


@lru_cache(maxsize=1)
def _loaded(paths: Sequence[str | Callable[..., Any]]) -> Layers:
    return Layers(tuple(map(_made, paths)))


def installed() -> Layers:
    """What the settings name; raises `ImproperlyConfigured`."""
    return _loaded(tuple(conf().middleware))


def _made(given: str | Callable[..., Any]) -> Middleware:
    try:
        function = import_string(given) if isinstance(given, str) else given
    except ImportError as error:
        raise ImproperlyConfigured(f"{SETTING}: {given!r} can't be imported: {error}") from error
    return function if isinstance(function, Middleware) else Middleware(function)


def _begin_all(
    layers: Sequence[Middleware], ctx: JobContext, entered: list[Entered]
) -> Outcome | BaseException | None:
    """Run each up to its yield; returns the outcome of one that ended before."""
    for layer in layers:
        generator = layer(ctx)
        try:
            next(generator)
        except StopIteration as over:
            return _chosen(Done() if over.value is None else over.value, layer)
        entered.append(Entered(layer, generator))
    return None


def _end_all(entered: Sequence[Entered], came: Outcome | BaseException) -> Outcome | BaseException:
    """Go on with each, the innermost first."""
    for layer in reversed(entered):
        came = layer.end(came)
    return came


def _step(steps: Context, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call in a context that all steps of a run share: a variable is reset only where it was set.

    What has been set outside is set in there, too, and what is set in there outside.
    """
    steps.run(_take_over, copy_context())
    try:
        return steps.run(function, *arguments)
    finally:
        _take_over(steps)


def _take_over(context: Context) -> None:
    for variable, value in context.items():
        if variable.get(None) is not value:
            variable.set(value)


def _outcome(returned: object) -> Outcome:
    if returned is None:
        return Done()
    return own(returned) if isinstance(returned, Outcome) else Done(returned)


def _caught(error: BaseException) -> Outcome | BaseException:
    return own(error) if isinstance(error, Outcome) else error


def _chosen(returned: object, middleware: Middleware) -> Outcome | BaseException:
    if isinstance(returned, Outcome):
        return own(returned)
    return TypeError(f"{middleware!r} returned {quoted(returned)}, which is no outcome.")


def _settled(came: Outcome | BaseException) -> Outcome:
    if isinstance(came, Outcome):
        return came
    raise came
