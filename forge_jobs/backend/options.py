"""What `TASKS` says of a backend of ours, validated when the backend is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ImproperlyConfigured

from forge_jobs.durations import as_timedelta

NAMES: Final = frozenset({"queues", "database", "max_attempts", "timeout"})


@dataclass(frozen=True, kw_only=True)
class Options:
    """Those of `OPTIONS` that are given to jobs."""

    queues: Mapping[str, str]
    max_attempts: int | None
    timeout: timedelta | None

    @classmethod
    def of(cls, alias: str, params: Mapping[str, Any]) -> Options:
        """From an entry of `TASKS`; raises `ImproperlyConfigured`, which names what is wrong."""
        where = f"TASKS[{alias!r}]"
        names = params.get("QUEUES", ())
        if not (isinstance(names, list | tuple | set | frozenset) and _are_texts(names)):
            raise ImproperlyConfigured(f'{where}["QUEUES"] must be a list of names, not {names!r}.')
        options = params.get("OPTIONS", {})
        if not isinstance(options, Mapping):
            raise ImproperlyConfigured(f'{where}["OPTIONS"] must be a dictionary, not {options!r}.')
        return cls(
            queues=_queues(options.get("queues", {}), where=where),
            max_attempts=_max_attempts(options.get("max_attempts", 1), where=where),
            timeout=_timeout(options.get("timeout"), where=where),
        )


def _queues(value: Any, *, where: str) -> Mapping[str, str]:
    if isinstance(value, Mapping) and _are_texts(value) and _are_texts(value.values()):
        return value
    raise ImproperlyConfigured(
        f'{where}["OPTIONS"]["queues"] must be a dictionary of names of queues, not {value!r}.'
    )


def _max_attempts(value: Any, *, where: str) -> int | None:
    if value is None or (type(value) is int and value >= 1):
        return value
    raise ImproperlyConfigured(
        f'{where}["OPTIONS"]["max_attempts"] must be 1 or more, or None for no limit, '
        f"not {value!r}."
    )


def _timeout(value: Any, *, where: str) -> timedelta | None:
    if value is None:
        return None
    field = f'{where}["OPTIONS"]["timeout"]'
    try:
        timeout = as_timedelta(value, field=field)
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error
    if not timeout:
        raise ImproperlyConfigured(f"{field} must be longer than 0 seconds.")
    return timeout


def _are_texts(values: Any) -> bool:
    return all(isinstance(value, str) and value for value in values)
