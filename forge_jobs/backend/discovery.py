"""Finds the tasks of a project, for the processes that run them and for results."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from forge_jobs.backend.api import AnyTask, InvalidTask, is_task
from forge_jobs.backend.backend import ForgeJobsBackend
from forge_jobs.backend.handler import TaskHandler, handler_of
from forge_jobs.handlers.registry import registry

if TYPE_CHECKING:
    from types import ModuleType


def is_ours(path: str) -> bool:
    """Whether a backend of `TASKS` is ours, or made from it."""
    try:
        backend = import_string(path)
    except ImportError:  # Django tells
        return False
    return isinstance(backend, type) and issubclass(backend, ForgeJobsBackend)


def know_tasks_of(modules: Iterable[ModuleType]) -> None:
    """Let this process run the tasks of some modules, through whatever backend they came in.

    A task may name another backend, and be enqueued here by `using(backend=...)`.
    """
    for module in modules:
        for task in list(vars(module).values()):
            if is_task(task):
                _known(task)


def find(kind: str) -> TaskHandler | None:
    """The handler of a task's kind, which is its path; None if that leads to no task."""
    handler = registry.find(kind)
    if handler is None:
        module, _, name = kind.rpartition(".")
        try:
            task = getattr(import_module(module), name, None)
        except (ImportError, TypeError, ValueError):  # of a kind that is no path
            return None
        return _known(task) if is_task(task) else None
    return handler if isinstance(handler, TaskHandler) else None


def _known(task: AnyTask) -> TaskHandler | None:
    try:
        backend = task.get_backend()
        if isinstance(backend, ForgeJobsBackend):
            return backend.known(task)
        return handler_of(task)
    except (InvalidTask, ImproperlyConfigured):  # whoever enqueues it is told
        return None
