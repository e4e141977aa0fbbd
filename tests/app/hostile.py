"""A handler that hands over whatever a recipe says, made of parts that misbehave when touched.

A recipe is JSON, for it travels as a job's payload: a name out of `ATOMS`, or what `made()` reads.
"""

import asyncio
import contextlib
import decimal
import logging
import sys
import threading
import warnings
from collections.abc import Callable, Coroutine, Iterator
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from django.db import connection, transaction

from forge_jobs import Cancelled, Dead, Done, Failed, JobContext, Snoozed, Throttled, job

Recipe = Any

DEEP: Final = 100_000
LONG: Final = 10 * 1024 * 1024


def hostile_type(base: type, dunders: list[str], raised: type[BaseException]) -> type:
    """A subclass whose special methods raise."""

    def refuse(self: object, *args: object, **kwargs: object) -> None:
        raise raised(f"touched by {args!a}"[:99])

    return type("Hostile", (base,), dict.fromkeys(dunders, refuse))


def deep_list() -> list[Any]:
    nested: list[Any] = []
    for _ in range(DEEP):
        nested = [nested]
    return nested


def circle() -> list[Any]:
    itself: list[Any] = []
    itself.append(itself)
    return itself


def generator() -> Iterator[int]:
    yield 1


def coroutine() -> Coroutine[Any, Any, None]:
    async def never() -> None: ...

    made = never()
    made.close()  # nobody is told that it was not awaited
    return made


ATOMS: Final[dict[str, Callable[[], Any]]] = {
    "none": lambda: None,
    "text": lambda: "text",
    "number": lambda: 3,
    "long text": lambda: "€" * LONG,
    "NUL": lambda: "a\0b",
    "surrogate": lambda: "\ud800",
    "bytes": lambda: b"\xff",
    "huge number": lambda: 10**5_000,
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("-inf"),
    "minus zero": lambda: -0.0,
    "1e23": lambda: 1e23,
    "decimal": lambda: Decimal(3),
    "decimal NaN": lambda: Decimal("sNaN"),
    "fraction": lambda: Fraction(1, 3),
    "complex": lambda: 1j,
    "true": lambda: True,
    "set": lambda: {1},
    "deep list": deep_list,
    "circle": circle,
    "odd keys": lambda: {(1, 2): 3, None: 4, 5.5: 6},
    "generator": generator,
    "coroutine": coroutine,
    "class": lambda: int,
    "module": lambda: sys,
    "function": lambda: print,
    "lock": threading.Lock,
    "connection": lambda: connection,
    "first moment": lambda: datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
    "last moment": lambda: datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
    "naive moment": lambda: datetime(2026, 1, 1),  # noqa: DTZ001 - naive on purpose
    "longest": lambda: timedelta.max,
    "shortest": lambda: timedelta.min,
    "a retry-after": lambda: 999_999_999_999,
    "now": lambda: datetime.now(UTC),
}

BASES: Final[dict[str, type]] = {
    each.__name__: each
    for each in (object, str, int, float, dict, list, tuple, set, bytes, Decimal)
}

ERRORS: Final[dict[str, type[BaseException]]] = {
    each.__name__: each
    for each in (
        *(Exception, ValueError, KeyError, OSError, SyntaxError, UnicodeDecodeError, ImportError),
        *(StopIteration, StopAsyncIteration, RecursionError, MemoryError, AttributeError),
        *(BaseException, SystemExit, KeyboardInterrupt, GeneratorExit, asyncio.CancelledError),
        *(ExceptionGroup, BaseExceptionGroup),
    )
}

DUNDERS: Final = (
    *("__str__", "__repr__", "__format__", "__eq__", "__hash__", "__bool__", "__len__"),
    *("__getattr__", "__getattribute__", "__iter__", "__index__", "__int__", "__float__"),
    *("__lt__", "__add__", "__radd__", "__mul__", "__contains__", "__getitem__", "__reduce__"),
    *("__reduce_ex__", "__copy__", "__deepcopy__", "__class__", "__dir__", "__sizeof__"),
)

ERROR_DUNDERS: Final = (*DUNDERS, "with_traceback", "add_note", "split", "derive")

OF_THE_CLASS: Final = ("__module__", "__qualname__")
ODD_NAMES: Final = (*OF_THE_CLASS, "__notes__", "__cause__", "__traceback__")


def made(recipe: Recipe) -> Any:
    """What a recipe describes; to make it may raise, as anything that is done with it."""
    match recipe:
        case str():
            return ATOMS[recipe]()
        case {"list": recipes}:
            return [made(one) for one in recipes]
        case {"key": recipe}:
            return {made(recipe): 1}
        case {"value": recipe}:
            return {"value": made(recipe)}
        case {"base": base, "dunders": dunders, "raised": raised}:
            return hostile_type(BASES[base], dunders, ERRORS[raised])()
    raise AssertionError(recipe)


def made_error(recipe: Recipe) -> BaseException:
    """An exception whose class, arguments and attributes are as the recipe wants them."""
    base = ERRORS[recipe["error"]]
    arguments = [made(one) for one in recipe["arguments"]]
    if issubclass(base, BaseExceptionGroup):
        arguments = ["group", [ValueError(one) for one in arguments] or [ValueError()]]
    if base is UnicodeDecodeError:
        arguments = ["utf-8", b"\xff", 0, 9, "reason"]
    kind = hostile_type(base, recipe["dunders"], ERRORS[recipe["raised"]])
    error: BaseException = kind(*arguments)
    for name, value in recipe["odd"].items():
        with contextlib.suppress(TypeError, AttributeError):
            setattr(kind if name in OF_THE_CLASS else error, name, made(value))
    return error


def raise_in_a_circle(error: BaseException) -> None:
    other = ValueError("the other")
    with contextlib.suppress(BaseException):
        raise error from other
    raise other from error


def raise_in_a_context(error: BaseException) -> None:
    try:
        raise error
    except BaseException:
        raise ValueError("while handling it") from None


def raise_from_far_away(error: BaseException) -> None:
    for _ in range(1_000):
        try:
            raise error
        except BaseException as cause:
            error = ValueError("on top")
            error.__cause__ = cause
    raise error


def raise_in_deep_groups(error: BaseException) -> None:
    for _ in range(1_000):
        error = BaseExceptionGroup("deep", [error])
    raise error


def raise_in_a_wide_group(error: BaseException) -> None:
    raise BaseExceptionGroup("wide", [error] * 10_000)


def raise_from_the_depth(error: BaseException) -> None:
    def sink() -> None:
        sink()

    try:
        sink()
    except RecursionError:
        raise error  # noqa: B904 - in the middle of another


def raise_inside_a_transaction(error: BaseException) -> None:
    with transaction.atomic():
        connection.close()
        raise error


def raise_it(error: BaseException) -> None:
    raise error


WAYS: Final = {
    each.__name__: each
    for each in (
        *(raise_it, raise_in_a_circle, raise_in_a_context, raise_from_far_away),
        *(raise_in_deep_groups, raise_in_a_wide_group, raise_from_the_depth),
        raise_inside_a_transaction,
    )
}

OUTCOMES: Final[dict[str, Callable[[Any], Any]]] = {
    "Done": Done,
    "Failed": Failed,
    "Failed with a traceback": lambda value: Failed("so it is", traceback=value),
    "Dead": Dead,
    "Cancelled": Cancelled,
    "Throttled": Throttled,
    "Throttled alone": lambda value: Throttled(value, scope="job"),
    "Snoozed": lambda value: Snoozed(delay=value),
    "Snoozed until": lambda value: Snoozed(until=value),
}

DEEDS: Final[dict[str, Callable[[Any], Any]]] = {
    "excepthook": lambda value: setattr(sys, "excepthook", value),
    "threads' excepthook": lambda value: setattr(threading, "excepthook", value),
    "unraisablehook": lambda value: setattr(sys, "unraisablehook", value),
    "thread's name": lambda value: setattr(threading.current_thread(), "name", value),
    "warnings": lambda value: warnings.simplefilter("error"),
    "decimals": lambda value: setattr(decimal.getcontext(), "prec", 1),
    "tracing": lambda value: sys.settrace(value),
    "profiling": lambda value: sys.setprofile(value),
    "logging": lambda value: logging.getLogger("forge_jobs.jobs").error(value, value),
    "closed": lambda value: connection.close(),
    "broken": lambda value: connection.connection and connection.connection.close(),
    "no autocommit": lambda value: transaction.set_autocommit(False),
    "open transaction": lambda value: transaction.atomic().__enter__(),
    "rolled back": lambda value: transaction.set_rollback(True),
    "hung-on hook": lambda value: transaction.on_commit(value),
}


@job(queue="other", takes_context=True, max_attempts=1)
def hostile(ctx: JobContext, *, act: str, of: Recipe, by: str = "") -> Any:
    """Do one thing: return, raise, tell of progress, log, or change what is everybody's."""
    match act:
        case "return":
            return made(of)
        case "raise":
            WAYS[by](made_error(of))
        case "progress":
            done, total, message = of
            ctx.progress(made(done), made(total), made(message))
        case "log":
            ctx.logger.warning(made(of))
        case "outcome":
            return OUTCOMES[by](made(of))
        case "raise outcome":
            raise OUTCOMES[by](made(of))
        case "do":
            DEEDS[by](made(of))
    return None
