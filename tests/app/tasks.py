"""Tasks of a project, as Django's own task API has them; imported where `TASKS` is ours."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, Any

import django
from django.db import connection

from forge_jobs import Outcome, Snoozed
from forge_jobs.backend.api import TaskContext

if TYPE_CHECKING or django.VERSION >= (6, 0):
    from django.tasks import task
else:
    from django_tasks import task

decorate: Any = task
"""The same, for what the stubs do not know yet."""

TAKES_OPTIONS = django.VERSION >= (6, 1) or django.VERSION < (6, 0)
"""Whether `@task` hands on what it does not know itself."""


class Bounced(Exception):
    """A mail came back."""


@task()
def add(a: int, b: int = 1) -> int:
    return a + b


@task(takes_context=True)
def attempted(context: TaskContext[Any, Any], name: str) -> dict[str, Any]:
    result = context.task_result
    return {
        "name": name,
        "attempt": context.attempt,
        "workers": result.worker_ids,
        "status": result.status,
        "id": result.id,
    }


@task()
async def slow_add(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


@task()
def bounce(address: str) -> None:
    raise Bounced(address)


@task()
def give_up() -> None:
    raise SystemExit("enough")


@task()
def give(kind: str) -> Any:
    return {"tuple": (1, 2), "bytes": b"x", "set": {1, 2}, "nan": float("nan"), "keys": {1: 2}}[
        kind
    ]


@task(queue_name="mail", priority=7)
def post(*addresses: str, **headers: str) -> list[str]:
    return [*addresses, *sorted(headers.values())]


@task()
def placed(a: int, b: int = 2, /, c: int = 3) -> list[int]:
    return [a, b, c]


@task(takes_context=True)
def placed_after_context(context: TaskContext[Any, Any], /, a: int) -> list[int]:
    return [context.attempt, a]


@task()
def named(a: int, *, b: int, c: int = 3) -> list[int]:
    return [a, b, c]


@task()
def odd(args: Any, kwargs: Any, ctx: Any, payload: Any = None) -> list[Any]:
    return [args, kwargs, ctx, payload]


def _marked(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> list[Any]:
        return ["wrapped", *function(*args, **kwargs)]

    return inner


@task()
@_marked
def wrapped(a: int, b: int = 1) -> list[int]:
    return [a, b]


@task()
def doze() -> Outcome:
    return Snoozed(delay=60)


begun = Event()
released = Event()


@task()
def hold() -> None:
    """Run until the test lets go."""
    begun.set()
    released.wait(30)


@task()
def cut_itself_off() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(pg_backend_pid())")


if TAKES_OPTIONS:

    @decorate(redact=["key", "token"])  # type: ignore[untyped-decorator] # decorators of two packages
    def discreet(key: str, token: str) -> str:
        return key + token

    @decorate(atomic=True)  # type: ignore[untyped-decorator] # the same
    def hold_atomically() -> None:
        begun.set()
        released.wait(30)

    @decorate(retry_for=3600)  # type: ignore[untyped-decorator] # the same
    def bounce_for_an_hour() -> None:
        raise Bounced("for an hour")

    @decorate(max_attempts=3, dead_on=(Bounced,))  # type: ignore[untyped-decorator] # the same
    def bounce_for_good() -> None:
        raise Bounced("for good")

    @decorate(max_attempts=3, timeout=60, redact=["token"])  # type: ignore[untyped-decorator] # the same
    def stubborn(token: str) -> None:
        raise Bounced(token)
