"""A function as a handler: what `@job` makes of it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar, Unpack

from forge_jobs.exceptions import InvalidHandler, InvalidPayload, UnreadablePayload
from forge_jobs.handlers.handler import JobHandler, JobOptions, P
from forge_jobs.handlers.signature import Signature, by_place, misfit

if TYPE_CHECKING:
    from forge_jobs.context import JobContext
    from forge_jobs.enqueueing.enqueue import NewJob
    from forge_jobs.handlers.handler import Enqueuer
    from forge_jobs.handlers.payloads import Arguments
    from forge_jobs.models import Job


R = TypeVar("R")


class FunctionHandler(JobHandler, Generic[P, R]):
    """What `@job` makes of a function: a handler that can still be called as the function.

    Its jobs are enqueued with the arguments of a call, `P`.
    """

    def __init__(self, function: Callable[..., R], *, kind: str, takes_context: bool) -> None:
        self.function = function
        self.kind = kind
        self.takes_context = takes_context
        self.__name__ = function.__name__
        self.__doc__ = function.__doc__
        self.__wrapped__ = function
        code = inspect.unwrap(function).__code__
        self.place = f"{code.co_filename}:{code.co_firstlineno}"
        self.signature = self.taken()

    def __call__(self, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return self.function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<job {self.kind}>"

    def taken(self) -> Signature:
        """What a payload may have; raises `InvalidHandler`."""
        return Signature.of(self.function, takes_context=self.takes_context)

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> object:
        if self.validate:
            return self._validated(ctx, payload)
        if self.takes_context:
            return self.function(ctx, **payload)
        return self.function(**payload)

    @cached_property
    def is_async(self) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def check(self, payload: dict[str, Any]) -> None:
        given, takes = payload.keys(), self.signature
        if takes.required <= given and (takes.rest or given <= takes.named):
            return
        told = misfit(self.kind, payload, takes, options=JobOptions.__annotations__)
        raise InvalidPayload(told, field="payload")

    def stored(self, payload: dict[str, Any]) -> dict[str, Any]:
        self.check(payload)
        return self.as_json(payload) if self.validate else payload

    def as_json(self, payload: dict[str, Any]) -> dict[str, Any]:
        """Some of the arguments as they are stored; raises `InvalidPayload`."""
        try:
            annotated = self.annotated
        except InvalidHandler as error:
            raise InvalidPayload(str(error), field="payload") from None
        return annotated.stored(payload)

    @cached_property
    def annotated(self) -> Arguments:
        """What the annotations say, of a handler that validates; raises `InvalidHandler`.

        Not before it is asked for: a module may name what it defines further down.
        """
        from forge_jobs.handlers.payloads import Arguments

        return Arguments.of(self.function, kind=self.kind, takes=self.signature)

    def bound(self, args: Sequence[Any], payload: dict[str, Any]) -> dict[str, Any]:
        return by_place(self.kind, self.signature, args, payload)

    def _validated(self, ctx: JobContext, payload: dict[str, Any]) -> object:
        if self.is_async:
            return self._validated_coroutine(ctx, payload)
        return self._called(ctx, payload)

    async def _validated_coroutine(self, ctx: JobContext, payload: dict[str, Any]) -> object:
        """Within it the payload is read, so that it is where middleware sees what it comes to."""
        return await self._called(ctx, payload)

    def _called(self, ctx: JobContext, payload: dict[str, Any]) -> Any:
        try:
            self.check(payload)
        except InvalidPayload as error:
            raise UnreadablePayload(f"The stored {error}") from None
        return self.function(*[ctx] * self.takes_context, **self.annotated.read(payload))

    # What is enqueued has the parameters of the function, where that of other handlers has any.
    if TYPE_CHECKING:

        def using(self, **options: Unpack[JobOptions]) -> Enqueuer[P]: ...
        def new(self, /, *args: P.args, **payload: P.kwargs) -> NewJob: ...
        def enqueue(self, /, *args: P.args, **payload: P.kwargs) -> Job: ...
        async def aenqueue(self, /, *args: P.args, **payload: P.kwargs) -> Job: ...


class ContextHandler(FunctionHandler[P, R]):
    """The same of a function whose first parameter is the `JobContext`, which no payload has."""

    def __call__(self, ctx: JobContext, /, *args: P.args, **kwargs: P.kwargs) -> R:  # type: ignore[override] # one more
        return self.function(ctx, *args, **kwargs)
