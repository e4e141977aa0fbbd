"""Checks of the handlers that apps declare."""

import ast
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.apps import apps
from django.apps.config import AppConfig
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import module_has_submodule

from forge_jobs.conf import conf
from forge_jobs.exceptions import InvalidHandler
from forge_jobs.handlers.border import plain
from forge_jobs.handlers.function import FunctionHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.wording import listed, meant


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
    return [
        *failures,
        *clashes,
        *_undeclared_queues(),
        *_unusable_annotations(),
        *_out_of_sight(app_configs),
    ]


def _failure(module: str, error: Exception) -> CheckMessage:
    """Apps of others come with a `tasks.py` for task queues that a project may not have."""
    package, _, name = module.rpartition(".")
    missing = (error.name or "") if isinstance(error, ModuleNotFoundError) else ""
    if name == "tasks" and missing and missing.partition(".")[0] != package.partition(".")[0]:
        return checks.Warning(
            f"{module} is left out: it needs {missing}, which is not installed.",
            hint="If its tasks are wanted, install that.",
            id="forge_jobs.W009",
        )
    return Error(
        f"{module} can't be imported: {type(error).__name__}: {plain(error)}",
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
            f'declared in FORGE_JOBS["QUEUES"].{meant(handler.queue, declared)}',
            hint=f"Declare it, or name one of {listed(declared)}.",
            obj=handler.place,
            id="forge_jobs.E008",
        )
        for handler in registry.handlers()
        if handler.queue is not None and handler.queue not in declared
    ]


def _unusable_annotations() -> Iterator[CheckMessage]:
    for handler in registry.handlers():
        if isinstance(handler, FunctionHandler) and handler.validate:
            try:
                handler.annotated  # noqa: B018  # found when they are first asked for
            except InvalidHandler as error:
                yield Error(
                    str(error),
                    hint="Its jobs can be neither enqueued nor run until it can.",
                    obj=handler.place,
                    id="forge_jobs.E020",
                )


def _out_of_sight(app_configs: Sequence[AppConfig] | None) -> Iterator[CheckMessage]:
    """Handlers in a `tasks.py`, where other queues look for them and we do not."""
    for config in app_configs or apps.get_app_configs():
        if config.module is None or not module_has_submodule(config.module, "tasks"):
            continue
        module = f"{config.name}.tasks"
        spec = find_spec(module)
        if spec and spec.origin not in registry.found_in and _declares_jobs(spec.origin):
            yield checks.Warning(
                f"{module} declares jobs, and is not imported at start-up: a process of runjobs "
                f"may not know them.",
                hint=f"Move them to {config.name}.jobs, or let that import {module}.",
                id="forge_jobs.W008",
            )


def _declares_jobs(file: str | None) -> bool:
    """Whether its text imports `job` or names `forge_jobs.job`; it is not run for that."""
    try:
        text = Path(file or "").read_bytes()
        tree = ast.parse(text) if b"forge_jobs" in text else None
    except (OSError, SyntaxError, ValueError):
        return False
    return tree is not None and any(map(_imports_job, ast.walk(tree)))


def _imports_job(node: ast.AST) -> bool:
    match node:
        case ast.ImportFrom(module="forge_jobs", names=names):
            return any(one.name in ("job", "register") for one in names)
        case ast.Attribute(value=ast.Name(id="forge_jobs"), attr="job" | "register"):
            return True
    return False
