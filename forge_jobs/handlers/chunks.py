"""Handlers that get many jobs of their kind in one call, and answer for each or for all."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, Unpack, overload

from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import InvalidHandler, InvalidPayload
from forge_jobs.handlers.border import failed, own
from forge_jobs.handlers.handler import JobHandler, JobOptions
from forge_jobs.handlers.outcomes import Done, Failed, Outcome
from forge_jobs.handlers.registry import FunctionOptions, default_kind, give, registry
from forge_jobs.handlers.signature import Signature, misfit, refuse_no_function
from forge_jobs.wording import quoted

if TYPE_CHECKING:
    from forge_jobs.context import JobContext

T = TypeVar("T")

NOTHING: Final = Done()
LARGEST_CHUNK: Final = 1_000
LONGEST_WAIT: Final = timedelta(minutes=1)


class Item(Generic[T]):
    """One job of a chunk: its `payload`, its `ctx`, and what it comes to."""

    answer_given: Outcome | None = None

    def __init__(self, payload: T, ctx: JobContext) -> None:
        self.payload = payload
        self.ctx = ctx

    def __repr__(self) -> str:
        return f"<Item #{self.ctx.job_id}>"

    def done(self, result: Any = None) -> None:
        """The job succeeded; `result` is any JSON value and is kept on the job."""
        self.answer(Done(result))

    def answer(self, outcome: Outcome | BaseException) -> None:
        """What the job comes to, once: an outcome, or the exception by which it failed.

        It is settled at once, and stands whatever the handler does afterwards. Raises `TypeError`
        for anything else, and `RuntimeError` for a second answer.
        """
        if not isinstance(outcome, BaseException):
            raise TypeError(f"An answer is an outcome or an exception, not {quoted(outcome)}.")
        if self.answer_given is not None:
            raise RuntimeError(f"Job {self.ctx.job_id} has its answer already.")
        self.answer_given = own(outcome) if isinstance(outcome, Outcome) else failed(outcome)
        self._settle(self.answer_given)

    def _settle(self, outcome: Outcome) -> None:
        """Of one that was made by hand, nobody waits for the answer."""


class Chunk(Sequence[Item[T]]):
    """Jobs of one kind and queue, oldest first."""

    def __init__(self, items: Sequence[Item[T]]) -> None:
        self._items = tuple(items)

    def __repr__(self) -> str:
        return f"<Chunk of {len(self)}>"

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[Item[T]]:
        return iter(self._items)

    @overload
    def __getitem__(self, place: int) -> Item[T]: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Item[T]]: ...
    def __getitem__(self, place: int | slice) -> Item[T] | Sequence[Item[T]]:
        return self._items[place]

    @property
    def payloads(self) -> list[T]:
        return [item.payload for item in self._items]


class ChunkHandler(JobHandler, Generic[T]):
    """What `@chunk_job` makes of a function: `max_concurrent_per_process` counts its calls."""

    def __init__(
        self,
        function: Callable[[Chunk[T]], Outcome | None],
        *,
        kind: str,
        size: int,
        wait: timedelta | float,
        chunk_key: Callable[[dict[str, Any]], str] | None,
    ) -> None:
        self.function = function
        self.kind = kind
        self.size = size
        self.wait = _read_wait(kind, wait)
        self.chunk_key = chunk_key
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        code = inspect.unwrap(function).__code__
        self.place = f"{code.co_filename}:{code.co_firstlineno}"

    def __call__(self, chunk: Chunk[T], /) -> Outcome | None:
        return self.function(chunk)

    def __repr__(self) -> str:
        return f"<chunk job {self.kind}>"

    def check(self, payload: dict[str, Any]) -> None:
        takes = self.takes
        if takes and not takes.required <= payload.keys() <= takes.named:
            told = misfit(self.kind, payload, takes, options=JobOptions.__annotations__)
            raise InvalidPayload(told, field="payload")

    @cached_property
    def takes(self) -> Signature | None:
        """What a payload may have, where the function says so: `Chunk[SomeTypedDict]`.

        Not before it is asked for: a module may name what it defines further down.
        """
        try:
            hints = typing.get_type_hints(self.function)
        except (NameError, TypeError, AttributeError):
            return None
        parameter = next(iter(inspect.signature(self.function).parameters))
        told = typing.get_args(hints.get(parameter))
        if not (told and typing.is_typeddict(told[0])):
            return None
        required, optional = told[0].__required_keys__, told[0].__optional_keys__
        return Signature((), named=required | optional, required=required, rest="", context="")

    def key_of(self, payload: dict[str, Any]) -> str:
        """Jobs share a call only with those of the same key; raises what `chunk_key` does."""
        if self.chunk_key is None:
            return ""
        key: object = self.chunk_key(payload)
        if not isinstance(key, str):
            raise TypeError(f"chunk_key of {self.kind} must give a text, not {quoted(key)}.")
        return str(key)

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> Outcome:
        """A job that is alone in its chunk."""
        item: Item[Any] = Item(payload, ctx)
        try:
            outcome = self.call([item])
        except BaseException as error:
            if not item.answer_given:
                raise
            ctx.logger.warning("raised %s after its answer", type(error).__name__)
        return item.answer_given or outcome

    def call(self, items: Sequence[Item[Any]]) -> Outcome:
        """Returns what those come to that it has not answered for."""
        if len(items) == 1:  # it may be alone because its key can't be told
            self.key_of(items[0].payload)
        returned: object = self.function(Chunk(items))
        if returned is None:
            return NOTHING
        if isinstance(returned, Outcome):
            return own(returned)
        return Failed(
            f"{self.kind} returned {quoted(returned)}: a result is given by item.done(), and what "
            f"is returned is an outcome for all that have no answer, or None."
        )


def chunk_job(
    *,
    size: int,
    wait: timedelta | float = timedelta(milliseconds=50),
    chunk_key: Callable[[dict[str, Any]], str] | None = None,
    kind: str | None = None,
    **options: Unpack[FunctionOptions],
) -> Callable[[Callable[[Chunk[T]], Outcome | None]], ChunkHandler[T]]:
    """Make a function the handler of a kind whose jobs it gets up to `size` at a time.

    A chunk that is not full is run when its first job has waited for `wait`, a duration or
    seconds, at most a minute. All jobs of one have the same queue and `chunk_key(payload)`. The
    other options are those of `@job`, but for `atomic`, `resident` and `validate`.
    Raises `InvalidHandler`, which names the `field`.
    """

    def decorate(function: Callable[[Chunk[T]], Outcome | None]) -> ChunkHandler[T]:
        refuse_no_function(function)
        handler = ChunkHandler(
            function,
            kind=default_kind(function) if kind is None else kind,
            size=size,
            wait=wait,
            chunk_key=chunk_key,
        )
        known = FunctionOptions.__annotations__
        also = ("kind", "size", "wait", "chunk_key")
        give(handler, options, by="chunk_job()", known=known, also=also)
        _refuse_unfit(handler)
        return registry.add(handler)

    return decorate


def _refuse_unfit(handler: ChunkHandler[Any]) -> None:
    kind, function = handler.kind, handler.function
    if inspect.iscoroutinefunction(function):
        raise InvalidHandler(f"{kind} must be a plain function, not async.", field="function")
    parameters = [*inspect.signature(function).parameters.values()]
    others = [one for one in parameters[1:] if one.default is one.empty]
    if not parameters or others:
        raise InvalidHandler(f"{kind} must take one argument, the chunk.", field="function")
    if type(handler.size) is not int or not 1 <= handler.size <= LARGEST_CHUNK:
        raise InvalidHandler(
            f"size of {kind} must be 1 to {LARGEST_CHUNK:,}, not {quoted(handler.size)}.",
            field="size",
        )
    if handler.chunk_key is not None and not callable(handler.chunk_key):
        raise InvalidHandler(
            f"chunk_key of {kind} must be a function of the payload, not "
            f"{quoted(handler.chunk_key)}.",
            field="chunk_key",
        )
    for name in ("atomic", "resident"):
        if getattr(handler, name):
            raise InvalidHandler(f"{kind} can't be {name}: it is a chunk job.", field=name)


def _read_wait(kind: str, given: timedelta | float) -> timedelta:
    try:
        wait = as_timedelta(given, field=f"wait of {kind}")
    except ValueError as error:
        raise InvalidHandler(str(error), field="wait") from None
    if wait > LONGEST_WAIT:
        raise InvalidHandler(f"wait of {kind} must be at most a minute, not {wait}.", field="wait")
    return wait
