"""Checks of the handlers that apps declare."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from forge_jobs.conf import conf
from forge_jobs.handlers.registry import registry


@register()
def check_handlers(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    failures = [_failure(module, error) for module, error in registry.import_failures.items()]
    clashes = [
        Error(
            f"Two handlers claim the kind {clash.kind!r}.",
            hint=f"One is at {clash.older}, the other at {clash.newer}; rename one of them.",
            id="forge_jobs.E004",
        )
        for clash in registry.clashes
    ]
    return [*failures, *clashes, *_undeclared_queues()]


def _failure(module: str, error: Exception) -> CheckMessage:
    """Apps of others come with a `tasks.py` for task queues that a project may not have."""
    package, _, name = module.rpartition(".")
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if name == "tasks" and missing and missing.partition(".")[0] != package.partition(".")[0]:
        return checks.Warning(
            f"{module} is left out: it needs {missing}, which is not installed.",
            hint="If its tasks are wanted, install that.",
            id="forge_jobs.W007",
        )
    return Error(
        f"{module} can't be imported: {type(error).__name__}: {error}",
        hint="Its jobs can be neither enqueued nor run until it can.",
        id="forge_jobs.E003",
    )


def _undeclared_queues() -> list[CheckMessage]:
    try:
        declared = conf().queues
    except ImproperlyConfigured:
        return []
    return [
        Error(
            f"The handler of {handler.kind!r} names the queue {handler.queue!r}, which is not "
            f'declared in FORGE_JOBS["QUEUES"].',
            hint=f"Declare it, or name one of {', '.join(declared)}.",
            obj=handler.place,
            id="forge_jobs.E008",
        )
        for handler in registry.handlers()
        if handler.queue is not None and handler.queue not in declared
    ]
