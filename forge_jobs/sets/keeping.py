"""What a handler may store in the middle of its run, as methods of its context."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import timedelta
from functools import cached_property
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from django.db.models import Model

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import InvalidStep
from forge_jobs.handlers.outcomes import Cancelled, Done
from forge_jobs.sets.checkpoint import Checkpoint
from forge_jobs.sets.completion import completed
from forge_jobs.sets.iteration import EVERY_SECOND, Walk
from forge_jobs.sets.steps import Steps
from forge_jobs.sets.stores import Store

if TYPE_CHECKING:
    from django.db.models import QuerySet

P = ParamSpec("P")
T = TypeVar("T")
M = TypeVar("M", bound=Model)


class Keeping:
    """All of them raise `InvalidStep` for what can't be, and `ClaimLost` once the job is others'.

    A run that uses none of it reads and writes nothing for it.
    """

    job: ClaimedJob
    store: Store
    has_kept: bool = False
    """Whether the run has used any of it."""
    has_moved_apart: bool = False
    """Whether a child says that its walk has come further."""
    completion: Done | None = None
    """What the handler has said of its end; that holds if its transaction was committed."""

    def asked_to_stop(self) -> Cancelled | None:
        """What ends a walk before its end."""
        raise NotImplementedError

    @cached_property
    def steps(self) -> Steps:
        self.has_kept = True
        return Steps(self.job, self.store)

    @property
    def has_moved(self) -> bool:
        """Whether a walk has come further than those of earlier runs, which costs no attempt."""
        return self.has_moved_apart or (self.has_kept and self.steps.have_moved)

    def step(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function returns, which is called once for all attempts and then stored.

        `name` is unique within a run. The value comes back as JSON gives it, from the first call,
        too. What the function raises goes on, and the step is done again in the next attempt.
        """
        return self.steps.run(name, function, *args, **kwargs)

    async def astep(
        self, name: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same of an async function, for `async def` handlers."""
        return await self.steps.arun(name, function, *args, **kwargs)

    def atomic_step(
        self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """The same in a transaction of the job database, which commits what the function wrote
        together with the step: exactly once.
        """
        return self.steps.run_atomically(name, function, *args, **kwargs)

    @cached_property
    def checkpoint(self) -> Checkpoint:
        """One JSON value that later attempts find: `read()` and `save(value)`."""
        return Checkpoint(self.steps)

    def iterate(
        self,
        queryset: QuerySet[M],
        *,
        every: timedelta | int = EVERY_SECOND,
        name: str | None = None,
    ) -> Iterator[M]:
        """The objects of a queryset by their primary key, from where the last attempt stopped.

        A row is done when the next one is asked for. Where it is, is stored after so long or after
        so many rows (`every`), and when the run ends; the rows since then are visited again by the
        attempt that follows. It ends the run in order when the job is cancelled, or the process
        stops. A second iteration over the same model needs a `name`.
        """
        return iter(self._walk(queryset, every=every, name=name))

    def aiterate(
        self,
        queryset: QuerySet[M],
        *,
        every: timedelta | int = EVERY_SECOND,
        name: str | None = None,
    ) -> AsyncIterator[M]:
        """The same for `async def` handlers."""
        return aiter(self._walk(queryset, every=every, name=name))

    def complete(self, result: Any = None) -> None:
        """Commit that the job has succeeded together with the transaction that is open.

        The last to be done in an `atomic()` of the job database. What the handler does, returns or
        raises after it changes nothing any more; its concurrency key is kept until it returns.
        """
        if self.completion is not None and self.store.is_complete(self.job):
            raise InvalidStep(
                "ctx.complete() has been called, and its transaction was committed: what the job "
                "came to can't be changed any more.",
                field="result",
            )
        text = completed(self.job, result)
        self.store.complete(self.job, text)
        self.completion, self.has_kept = Done(result), True

    def _walk(self, rows: QuerySet[M], *, every: timedelta | int, name: str | None) -> Walk[M]:
        return Walk(rows, steps=self.steps, name=name, every=every, asked=self.asked_to_stop)
