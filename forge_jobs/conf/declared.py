"""What settings declare of queues, budgets and schedules; rows of the same names follow it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from inspect import signature
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from django.core.exceptions import ImproperlyConfigured

from forge_jobs.conf.bounds import LEAST_TOKENS, MOST_TOKENS
from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import InvalidSchedule
from forge_jobs.wording import listed, meant, quoted

if TYPE_CHECKING:
    from forge_jobs.backoff import RetryPolicy
    from forge_jobs.conf.schedules import DeclaredSchedule

KEEP: Final = object()
"""Not declared: the row keeps what it has."""


class QueueSettings(NamedTuple):
    """What `FORGE_JOBS["QUEUES"][name]` may say."""

    retry: RetryPolicy | None = None
    max_workers: Any = KEEP
    retain_succeeded: Any = KEEP
    retain_failed: Any = KEEP
    throttle_base: Any = KEEP
    throttle_cap: Any = KEEP
    budget: Any = KEEP

    @classmethod
    def read(cls, name: str, given: object) -> Self:
        where = f'FORGE_JOBS["QUEUES"]["{name}"]'
        if not isinstance(given, Mapping):
            raise ImproperlyConfigured(f"{where} must be a dictionary, not {quoted(given)}.")
        refuse_unknown(given, known=[*cls._fields], where=where)
        return cls(**{key: _QUEUE_OPTIONS[key](value, where, key) for key, value in given.items()})

    def columns(self) -> dict[str, Any]:
        """What is declared, as the columns of a `Queue`."""
        declared = {name: getattr(self, option) for option, name in _QUEUE_COLUMNS.items()}
        return {
            name: value.total_seconds() if isinstance(value, timedelta) else value
            for name, value in declared.items()
            if value is not KEEP
        }


class BudgetSettings(NamedTuple):
    """What `FORGE_JOBS["BUDGETS"][name]` must say."""

    capacity: float
    refill_per_second: float

    @classmethod
    def read(cls, name: str, given: object) -> Self:
        where = f'FORGE_JOBS["BUDGETS"]["{name}"]'
        names = [*cls._fields]
        if not isinstance(given, Mapping) or {*names} - {*given}:
            raise ImproperlyConfigured(
                f"{where} must be a dictionary with {' and '.join(names)}, not {quoted(given)}."
            )
        refuse_unknown(given, known=names, where=where)
        return cls(**{key: _tokens(value, where, key) for key, value in given.items()})

    def columns(self) -> dict[str, Any]:
        return {"capacity": self.capacity, "refill_per_second": self.refill_per_second}


def queues(key: str, value: object) -> Mapping[str, QueueSettings]:
    if not isinstance(value, Mapping) or not value:
        raise ImproperlyConfigured(
            f'FORGE_JOBS["{key}"] must map queue names to their options, '
            f'such as {{"default": {{}}}}, not {quoted(value)}.'
        )
    for name in value:
        if not isinstance(name, str) or not 0 < len(name) <= 100 or "," in name:
            raise ImproperlyConfigured(
                f'FORGE_JOBS["{key}"]: a queue name has 1 to 100 characters and no comma, '
                f"unlike {quoted(name)}."
            )
    return MappingProxyType(
        {name: QueueSettings.read(name, options) for name, options in value.items()}
    )


def budgets(key: str, value: object) -> Mapping[str, BudgetSettings]:
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured(
            f'FORGE_JOBS["{key}"] must map names of budgets to their options, not {quoted(value)}.'
        )
    for name in value:
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise ImproperlyConfigured(
                f'FORGE_JOBS["{key}"]: a budget\'s name has 1 to 100 characters, '
                f"unlike {quoted(name)}."
            )
    return MappingProxyType({name: BudgetSettings.read(name, one) for name, one in value.items()})


def schedules(key: str, value: object) -> Mapping[str, DeclaredSchedule]:
    if not isinstance(value, Mapping):
        raise ImproperlyConfigured(
            f'FORGE_JOBS["{key}"] must map names of schedules to their options, '
            f"not {quoted(value)}."
        )
    for name in value:
        if not isinstance(name, str):
            raise ImproperlyConfigured(
                f'FORGE_JOBS["{key}"]: a schedule\'s name must be a text, not {quoted(name)}.'
            )
    return MappingProxyType({name: _schedule(name, one) for name, one in value.items()})


def _schedule(name: str, given: object) -> DeclaredSchedule:
    where = f'FORGE_JOBS["SCHEDULES"]["{name}"]'
    if not isinstance(given, Mapping) or not isinstance(given.get("kind"), str):
        raise ImproperlyConfigured(
            f"{where} must be a dictionary with a kind, not {quoted(given)}."
        )
    from forge_jobs.conf.schedules import schedule

    options = {key: value for key, value in given.items() if key != "kind"}
    known = [name for name in signature(schedule).parameters if name != "name"]
    refuse_unknown(options, known=known, where=where)
    try:
        return schedule(**options, name=name).of(given["kind"])
    except InvalidSchedule as error:
        raise ImproperlyConfigured(f"{where}: {error}") from error


def policy(value: object, *, where: str) -> RetryPolicy:
    if not callable(value):
        raise ImproperlyConfigured(
            f"{where}: retry must be a policy of forge_jobs.backoff or a callable that takes "
            f"the attempt and returns a timedelta, not {quoted(value)}."
        )
    return value


def refuse_unknown(given: Mapping[str, Any], *, known: list[str], where: str) -> None:
    for key in given:
        if key not in known:
            raise ImproperlyConfigured(
                f"{where} has no option {quoted(key)}.{meant(key, known)} It knows {listed(known)}."
            )


def _duration(value: Any, where: str, key: str) -> timedelta:
    try:
        return as_timedelta(value, field=f"{where}: {key}")
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error


def _duration_or_none(value: Any, where: str, key: str) -> timedelta | None:
    return None if value is None else _duration(value, where, key)


def _tokens(value: Any, where: str, key: str) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not LEAST_TOKENS <= value < MOST_TOKENS:
        raise ImproperlyConfigured(
            f"{where}: {key} must be a number from {LEAST_TOKENS:.9f} up to {MOST_TOKENS:,.0f}, "
            f"not {quoted(value)}."
        )
    return float(value)


def _workers(value: Any, where: str, key: str) -> int | None:
    if value is not None and (type(value) is not int or value < 0):
        raise ImproperlyConfigured(
            f"{where}: {key} must be a whole number, or None for no limit, not {quoted(value)}."
        )
    return value


def _budget(value: Any, where: str, key: str) -> str:
    if not isinstance(value, str) or len(value) > 100:
        raise ImproperlyConfigured(f"{where}: {key} must name a budget, not {quoted(value)}.")
    return value


_QUEUE_OPTIONS: dict[str, Callable[[Any, str, str], Any]] = {
    "retry": lambda value, where, key: policy(value, where=where),
    "max_workers": _workers,
    "retain_succeeded": _duration_or_none,
    "retain_failed": _duration_or_none,
    "throttle_base": _duration,
    "throttle_cap": _duration,
    "budget": _budget,
}
_QUEUE_COLUMNS: Final = {
    "max_workers": "max_workers",
    "retain_succeeded": "retain_succeeded_seconds",
    "retain_failed": "retain_failed_seconds",
    "throttle_base": "throttle_base_seconds",
    "throttle_cap": "throttle_cap_seconds",
    "budget": "budget",
}
