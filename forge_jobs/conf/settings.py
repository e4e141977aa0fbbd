"""`settings.FORGE_JOBS` as one frozen value, validated when it is first asked for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.utils.module_loading import import_string

from forge_jobs import redaction
from forge_jobs.conf import declared
from forge_jobs.conf.bounds import MAX_ATTEMPTS, MAX_COROUTINES, MAX_THREADS
from forge_jobs.conf.declared import BudgetSettings, QueueSettings
from forge_jobs.durations import as_timedelta
from forge_jobs.wording import quoted

if TYPE_CHECKING:
    from forge_jobs.backoff import RetryPolicy
    from forge_jobs.conf.schedules import DeclaredSchedule

SHORTEST_TOKEN: Final = 16
VISIBLE: Final = re.compile(r"[!-~]+")

Router = Callable[[str], str | None]


class Routes:
    """A router by prefixes of kinds; of those that fit, the longest says the queue."""

    def __init__(self, queues: Mapping[str, str]) -> None:
        self.queues: Final = queues
        """The longest prefixes first."""

    @classmethod
    def read(cls, key: str, given: Mapping[Any, Any]) -> Self:
        for prefix, queue in given.items():
            if not (isinstance(prefix, str) and isinstance(queue, str) and queue):
                raise ImproperlyConfigured(
                    f'FORGE_JOBS["{key}"] must map prefixes of kinds to names of queues, such as '
                    f'{{"orders.": "mail"}}, not {quoted(prefix)} to {quoted(queue)}.'
                )
        return cls(dict(sorted(given.items(), key=lambda route: -len(route[0]))))

    def __call__(self, kind: str) -> str | None:
        return next((to for prefix, to in self.queues.items() if kind.startswith(prefix)), None)


@cache
def _usual_retry() -> RetryPolicy:
    """Not before a job has failed: web processes load no policy that their code does not name."""
    from forge_jobs.backoff import Exponential

    return Exponential()


def _nowhere(kind: str) -> None:
    """The router of who has none."""


class Settings(NamedTuple):
    """Every setting, with its default; the keys of `FORGE_JOBS` are these names in capitals."""

    database: str = "default"
    queues: Mapping[str, QueueSettings] = MappingProxyType({"default": QueueSettings()})
    budgets: Mapping[str, BudgetSettings] = MappingProxyType({})
    schedules: Mapping[str, DeclaredSchedule] = MappingProxyType({})
    router: Router = _nowhere
    retry: RetryPolicy | None = None
    """`Exponential()`, if it is not given."""
    imports: Sequence[str] = ()
    middleware: Sequence[str | Callable[..., Any]] = ()
    max_attempts: int | None = 5
    max_payload_bytes: int = 1024 * 1024
    redact: redaction.Names = frozenset()
    metrics_token: str | None = None
    threads: int = 8
    async_concurrency: int | None = None
    """As many as there are threads, if it is not given."""
    poll_interval: timedelta = timedelta(seconds=1)
    shutdown_timeout: timedelta = timedelta(seconds=25)
    process_timeout: timedelta = timedelta(seconds=30)

    @classmethod
    def read(cls, given: object) -> Self:
        if not isinstance(given, Mapping):
            raise ImproperlyConfigured(f"FORGE_JOBS must be a dictionary, not {quoted(given)}.")
        readers = _READERS
        declared.refuse_unknown(given, known=[*readers], where="FORGE_JOBS")
        return cls(**{key.lower(): readers[key](key, value) for key, value in given.items()})

    @property
    def heartbeat(self) -> timedelta:
        """How often a process says that it lives: six times before it would be given up."""
        return self.process_timeout / 6

    @property
    def lease(self) -> timedelta:
        """How long leadership lasts unless it is renewed; others take over right after."""
        return self.process_timeout * 0.4

    @property
    def is_routed_by_rule(self) -> bool:
        """Whether all jobs of a kind are sent to one queue; a function may say otherwise."""
        return self.router is _nowhere or isinstance(self.router, Routes)

    def retry_of(self, queue: str) -> RetryPolicy:
        options = self.queues.get(queue)
        return (options and options.retry) or self.retry or _usual_retry()

    def __repr__(self) -> str:
        """Without the token, which is nobody's business."""
        told = self._replace(metrics_token=None)._asdict()
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in told.items())})"


@cache
def conf() -> Settings:
    """The settings in force; raises `ImproperlyConfigured` with what to mend."""
    return Settings.read(getattr(settings, "FORGE_JOBS", {}))


def _forget(*, setting: str, **kwargs: Any) -> None:
    if setting == "FORGE_JOBS":
        conf.cache_clear()


setting_changed.connect(_forget, dispatch_uid="forge_jobs.conf")


def _router(key: str, value: object) -> Router:
    if isinstance(value, str):
        try:
            value = import_string(value)
        except ImportError as error:
            raise ImproperlyConfigured(
                f'FORGE_JOBS["{key}"] can\'t be imported: {error}'
            ) from error
    if isinstance(value, Mapping):
        return Routes.read(key, value)
    if callable(value):
        return value
    raise ImproperlyConfigured(
        f'FORGE_JOBS["{key}"] must be a callable, its dotted path, or a mapping of kind '
        f"prefixes to queues, not {quoted(value)}."
    )


def _number(key: str, value: object, *, most: int | None = None) -> int:
    if type(value) is int and value >= 1 and (most is None or value <= most):
        return value
    bounds = "1 or more" if most is None else f"1 to {most:,}"
    mend = ""
    if isinstance(value, str) and value.strip().isdecimal():
        mend = f", which is a text: write {value.strip()}, or int() around it"
    raise ImproperlyConfigured(
        f'FORGE_JOBS["{key}"] must be a whole number, {bounds}, not {quoted(value)}{mend}.'
    )


def _duration(key: str, value: Any) -> timedelta:
    try:
        return as_timedelta(value, field=f'FORGE_JOBS["{key}"]')
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error


def _longer_than_zero(key: str, value: Any) -> timedelta:
    if not (duration := _duration(key, value)):
        raise ImproperlyConfigured(f'FORGE_JOBS["{key}"] must be longer than 0 seconds.')
    return duration


def _token(key: str, value: object) -> str | None:
    """Told without the value, which is nobody's business."""
    if value is None:
        return None
    if isinstance(value, str) and len(value) >= SHORTEST_TOKEN and VISIBLE.fullmatch(value):
        return value
    raise ImproperlyConfigured(
        f'FORGE_JOBS["{key}"] must be None, or a text of at least {SHORTEST_TOKEN} visible ASCII '
        "characters without spaces, such as secrets.token_urlsafe() makes."
    )


def _names(key: str, value: object) -> redaction.Names:
    try:
        return redaction.names(value, field=f'FORGE_JOBS["{key}"]')
    except ValueError as error:
        raise ImproperlyConfigured(str(error)) from error


def _modules(key: str, value: object) -> Sequence[str]:
    paths = value if isinstance(value, list | tuple) else [None]
    if not all(isinstance(path, str) and path for path in paths):
        raise ImproperlyConfigured(
            f'FORGE_JOBS["{key}"] must be a list of dotted paths of modules, not {quoted(value)}.'
        )
    return tuple(paths)


def _middleware(key: str, value: object) -> Sequence[str | Callable[..., Any]]:
    given = value if isinstance(value, list | tuple) else [None]
    if not all(callable(one) or (isinstance(one, str) and one) for one in given):
        raise ImproperlyConfigured(
            f'FORGE_JOBS["{key}"] must be a list of generator functions or of their dotted paths, '
            f"not {quoted(value)}."
        )
    return tuple(given)


def _alias(key: str, value: object) -> str:
    if not isinstance(value, str):
        raise ImproperlyConfigured(
            f'FORGE_JOBS["{key}"] must name a database, not {quoted(value)}.'
        )
    return value


_READERS: dict[str, Callable[[str, Any], Any]] = {
    "DATABASE": _alias,
    "QUEUES": declared.queues,
    "BUDGETS": declared.budgets,
    "SCHEDULES": declared.schedules,
    "ROUTER": _router,
    "RETRY": lambda key, value: declared.policy(value, where=f'FORGE_JOBS["{key}"]'),
    "IMPORTS": _modules,
    "MIDDLEWARE": _middleware,
    "MAX_ATTEMPTS": lambda key, value: (
        None if value is None else _number(key, value, most=MAX_ATTEMPTS)
    ),
    "MAX_PAYLOAD_BYTES": _number,
    "REDACT": _names,
    "METRICS_TOKEN": _token,
    "THREADS": lambda key, value: _number(key, value, most=MAX_THREADS),
    "ASYNC_CONCURRENCY": lambda key, value: _number(key, value, most=MAX_COROUTINES),
    "POLL_INTERVAL": _longer_than_zero,
    "SHUTDOWN_TIMEOUT": _duration,
    "PROCESS_TIMEOUT": _longer_than_zero,
}
