"""Finds the tasks of a project, and tells those who watch tasks of jobs that have ended."""

from __future__ import annotations

import json
from collections.abc import Iterable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.core.exceptions import ImproperlyConfigured
from django.utils.module_loading import import_string

from forge_jobs.backend import results
from forge_jobs.backend.api import InvalidTask, Task, task_finished
from forge_jobs.backend.backend import ForgeJobsBackend
from forge_jobs.backend.handler import TaskHandler, handler_of
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job
from forge_jobs.signals import job_finished, job_reclaimed
from forge_jobs.states import TERMINAL, State

if TYPE_CHECKING:
    from types import ModuleType

    from forge_jobs.runtime.settlements import Finished


def is_ours(path: str) -> bool:
    """Whether a backend of `TASKS` is ours, or made from it."""
    try:
        backend = import_string(path)
    except ImportError:  # Django tells
        return False
    return isinstance(backend, type) and issubclass(backend, ForgeJobsBackend)


def watch() -> None:
    """From now on send Django's `task_finished` for jobs of tasks."""
    job_finished.connect(_tell_of_end, dispatch_uid="forge_jobs.backend")
    job_reclaimed.connect(_tell_of_loss, dispatch_uid="forge_jobs.backend")


def know_tasks_of(modules: Iterable[ModuleType]) -> None:
    """Let this process run the tasks of some modules, through whatever backend they came in.

    A task may name another backend, and be enqueued here by `using(backend=...)`.
    """
    for module in modules:
        for task in list(vars(module).values()):
            if isinstance(task, Task):
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
        return _known(task) if isinstance(task, Task) else None
    return handler if isinstance(handler, TaskHandler) else None


def _known(task: Task[..., Any]) -> TaskHandler | None:
    try:
        backend = task.get_backend()
        if isinstance(backend, ForgeJobsBackend):
            return backend.known(task)
        return handler_of(task, queue=None, max_attempts=1)
    except (InvalidTask, ImproperlyConfigured):  # whoever enqueues it is told
        return None


def _tell_of_end(sender: Any, *, finished: Finished, **kwargs: Any) -> None:
    job, transition = finished.job, finished.transition
    handler = registry.find(job.kind)
    if transition.state in TERMINAL and isinstance(handler, TaskHandler):
        backend = results.backend_of(handler, json.loads(job.context))
        result = results.of_end(handler, job, transition)
        task_finished.send_robust(type(backend), task_result=result)


def _tell_of_loss(sender: Any, *, job_id: int, kind: str, state: State, **kwargs: Any) -> None:
    handler = registry.find(kind)
    if state not in TERMINAL or not isinstance(handler, TaskHandler):
        return
    if job := Job.objects.select_related("process").filter(pk=job_id).first():
        backend = results.backend_of(handler, job.context)
        task_finished.send_robust(type(backend), task_result=results.of_job(handler, job))
