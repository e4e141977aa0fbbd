"""A task as a kind of job: how its arguments travel, and how it is called."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from forge_jobs import jsontext
from forge_jobs.backend.api import (
    AnyTask,
    InvalidTask,
    TaskContext,
    normalize_json,
    task_started,
)
from forge_jobs.backend.task import JobTask
from forge_jobs.exceptions import InvalidArguments, InvalidPayload
from forge_jobs.handlers.function import FunctionHandler
from forge_jobs.handlers.outcomes import Outcome
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.signature import BY_PLACE, Signature

if TYPE_CHECKING:
    from forge_jobs.context import JobContext

RAW: Final = frozenset({"args", "kwargs"})
_BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


class TaskHandler(FunctionHandler[..., Any]):
    """Runs the jobs of one task; its payload has the arguments by name, where all have one.

    So people, filters, `redact` and `concurrency_key` find them as those of any other job. A
    function that takes arguments without a name gets `{"args": [...], "kwargs": {...}}` instead.
    """

    keeps_process = True
    counts_interruptions = True

    def __init__(
        self,
        task: AnyTask,
        *,
        queue: str | None,
        max_attempts: int | None,
        timeout: timedelta | None,
    ) -> None:
        self._signature = inspect.signature(task.func)
        parameters = list(self._signature.parameters.values())[task.takes_context :]
        self._names = [one.name for one in parameters]
        self._is_named = all(one.kind in _BY_NAME for one in parameters)
        super().__init__(task.func, kind=task.module_path, takes_context=task.takes_context)
        self.task = task
        self.queue = queue
        self.priority = int(task.priority)
        self.max_attempts = max_attempts
        self.timeout = timeout
        if isinstance(task, JobTask):
            self.max_attempts = task.attempts(otherwise=max_attempts)
            if task.timeout is not None:
                self.timeout = task.timeout  # type: ignore[assignment]  # registering converts it
            self.expires_in = task.expires_in  # type: ignore[assignment]  # the same
            self.retry = task.retry
            self.retry_on = task.retry_on
            self.dead_on = task.dead_on
            self.retry_for = task.retry_for  # type: ignore[assignment]  # the same
            self.warn_attempts = task.warn_attempts
            self.atomic = task.atomic
            self.counts_interruptions = not task.atomic  # nothing of that one has happened
            self.concurrency_key = task.concurrency_key
            self.concurrency_limit = task.concurrency_limit
            self.max_concurrent_per_process = task.max_concurrent_per_process
            self.redact = task.redact

    def __repr__(self) -> str:
        return f"<task {self.kind}>"

    def payload(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The payload for a call; raises `InvalidArguments` for one that can't be stored or made.

        As in all backends of Django's, tuples become lists, and bytes text.
        """
        places, names = _normalized(list(args), dict(kwargs))
        self._refuse_unfit(places, names)
        if self._is_named:
            return dict(zip(self._names, places, strict=False)) | names
        return {name: value for name, value in (("args", places), ("kwargs", names)) if value}

    def arguments(
        self, payload: dict[str, Any], *, positional: int
    ) -> tuple[list[Any], dict[str, Any]]:
        """The arguments as they were given, the first so many of them by their places."""
        if not self._is_named:
            return list(payload.get("args", [])), dict(payload.get("kwargs", {}))
        by_place = self._names[:positional]
        kwargs = {name: value for name, value in payload.items() if name not in by_place}
        return [payload[name] for name in by_place if name in payload], kwargs

    def check(self, payload: dict[str, Any]) -> None:
        if self._is_named:
            return super().check(payload)
        args, kwargs = payload.get("args", []), payload.get("kwargs", {})
        if payload.keys() - RAW or not isinstance(args, list) or not isinstance(kwargs, dict):
            raise InvalidPayload(
                f"payload does not fit {self.kind}, which takes arguments without a name: pass "
                f'{{"args": [...], "kwargs": {{...}}}}.',
                field="payload",
            )
        self._refuse_unfit(args, kwargs)

    def taken(self) -> Signature:
        """Without the refusals of `@job`: what Django takes for a task is one."""
        if not self._is_named:
            return Signature((), named=RAW, required=frozenset(), rest="", context="")
        parameters = [self._signature.parameters[name] for name in self._names]
        return Signature(
            places=tuple(one.name for one in parameters if one.kind in BY_PLACE),
            named=frozenset(self._names),
            required=frozenset(one.name for one in parameters if one.default is one.empty),
            rest="",
            context="",
        )

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> object:
        from forge_jobs.backend import results

        result = results.of_run(self, ctx.job, process_name=ctx.process_name)
        backend = results.backend_of(self, ctx.context)
        task_started.send_robust(type(backend), task_result=results.for_others(self, result))
        told = results.Told.of(ctx.context, self.task)
        args, kwargs = self.arguments(payload, positional=told.positional)
        if self.takes_context:
            args = [TaskContext(task_result=result), *args]
        if self.is_async:
            return self._result_of_coroutine(args, kwargs)
        return _normal(self.function(*args, **kwargs))

    async def _result_of_coroutine(self, args: list[Any], kwargs: dict[str, Any]) -> object:
        return _normal(await self.function(*args, **kwargs))

    def _refuse_unfit(self, args: list[Any], kwargs: dict[str, Any]) -> None:
        try:
            self._signature.bind(*[None] * self.takes_context, *args, **kwargs)
        except TypeError as error:
            raise InvalidArguments(
                f"the arguments do not fit {self.kind}{self._signature}: {error}.", field="payload"
            ) from None


def handler_of(
    task: AnyTask,
    *,
    queue: str | None = None,
    max_attempts: int | None = 1,
    timeout: timedelta | None = None,
) -> TaskHandler:
    """The handler of a task's kind, registered if it is new; raises `InvalidTask`."""
    known = registry.find(task.module_path)
    if isinstance(known, TaskHandler) and known.function is task.func:
        return known
    try:
        return registry.add(
            TaskHandler(task, queue=queue, max_attempts=max_attempts, timeout=timeout)
        )
    except (TypeError, ValueError) as error:
        raise InvalidTask(str(error)) from error


def _normalized(args: list[Any], kwargs: dict[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    try:
        places: Any = normalize_json(args)
        names: Any = normalize_json(kwargs)
        _refuse_unstorable(places, names)
    except jsontext.NotJSON as refusal:
        raise InvalidArguments(str(refusal), field="payload") from None
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidArguments(_why(args, kwargs, error), field="payload") from None
    return places, names


def _why(args: list[Any], kwargs: dict[str, Any], error: Exception) -> str:
    """In our words, which say where, and in Django's, by which some know such a refusal."""
    try:
        _refuse_unstorable(args, kwargs)
    except jsontext.NotJSON as refusal:
        return f"{refusal} ({error})"
    return str(error)


def _refuse_unstorable(args: list[Any], kwargs: dict[str, Any]) -> None:
    """Raises `NotJSON`, which says where."""
    jsontext.dumps(args, name="args")
    jsontext.dumps(kwargs, name="kwargs")


def _normal(returned: object) -> object:
    if isinstance(returned, Outcome):
        return returned
    try:
        return normalize_json(returned)
    except TypeError as error:
        raise TypeError(f"What the task returned is not JSON serializable: {error}") from None
