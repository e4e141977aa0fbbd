"""Checks of what the settings say: `FORGE_JOBS`, and what of Django's it depends on."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from forge_jobs.conf import Settings, conf
from forge_jobs.conf.declared import KEEP
from forge_jobs.conf.settings import Routes
from forge_jobs.handlers import middleware
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.registry import registry
from forge_jobs.wording import listed, meant, quoted


def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        alias = conf().database
    except ImproperlyConfigured as error:
        return [Error(str(error), id="forge_jobs.E001")]
    found: list[CheckMessage] = []
    if alias not in connections:
        found.append(
            Error(
                f'FORGE_JOBS["DATABASE"] is {alias!r}, which is not in DATABASES.',
                hint=f"Name one of {', '.join(connections)}.",
                id="forge_jobs.E002",
            )
        )
    if not settings.USE_TZ:
        found.append(
            Error(
                "forge_jobs needs USE_TZ = True: due times without a time zone are ambiguous.",
                id="forge_jobs.E007",
            )
        )
    try:
        middleware.installed()
    except ImproperlyConfigured as error:
        found.append(Error(str(error), id="forge_jobs.E019"))
    return [*found, *_routes_to_nowhere(), *_undeclared_budgets()]


def _routes_to_nowhere() -> Iterator[CheckMessage]:
    """Where a function is the router, it is asked about the kinds that there are."""
    settings = conf()
    for kind, queue in _routes(settings):
        if isinstance(queue, Exception):
            yield Error(
                f'FORGE_JOBS["ROUTER"] has no answer for {kind!r}: {failed(queue).message}',
                hint="Its jobs can't be enqueued unless they name a queue.",
                id="forge_jobs.E017",
            )
        elif queue and (not isinstance(queue, str) or queue not in settings.queues):
            yield Error(
                f'FORGE_JOBS["ROUTER"] sends {kind!r} to the queue {quoted(queue)}, which is not '
                f'declared in FORGE_JOBS["QUEUES"].{meant(queue, settings.queues)}',
                hint=f"Declare it, or name one of {listed(settings.queues)}.",
                id="forge_jobs.E017",
            )


def _routes(settings: Settings) -> Iterator[tuple[str, object]]:
    if isinstance(settings.router, Routes):
        yield from settings.router.queues.items()
        return
    for kind in [one.kind for one in registry.handlers() if one.queue is None]:
        try:
            yield kind, settings.router(kind)
        except Exception as error:
            yield kind, error


def _undeclared_budgets() -> Iterator[CheckMessage]:
    settings = conf()
    for name, options in settings.queues.items():
        budget = options.budget
        if budget is not KEEP and budget and budget not in settings.budgets:
            yield checks.Warning(
                f"The queue {name!r} spends the budget {budget!r}, which is not declared in "
                f'FORGE_JOBS["BUDGETS"].{meant(budget, settings.budgets)}',
                hint="Declare it. Unless somebody has added it by hand, nothing is claimed from "
                "the queue.",
                id="forge_jobs.W007",
            )
