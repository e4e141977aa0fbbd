"""Sends Django's `task_finished` for jobs of tasks that have ended; importable before models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from forge_jobs.backend.api import task_finished
from forge_jobs.backend.handler import TaskHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.signals import job_finished, job_reclaimed
from forge_jobs.states import TERMINAL, State

if TYPE_CHECKING:
    from forge_jobs.runtime.settlements import Finished


def watch() -> None:
    """From now on, in this process."""
    job_finished.connect(_tell_of_end, dispatch_uid="forge_jobs.backend")
    job_reclaimed.connect(_tell_of_loss, dispatch_uid="forge_jobs.backend")


def _tell_of_end(sender: Any, *, finished: Finished, **kwargs: Any) -> None:
    from forge_jobs.backend import results

    job, transition = finished.job, finished.transition
    if transition.state not in TERMINAL:
        return
    handler = registry.find(job.kind)
    if isinstance(handler, TaskHandler):
        backend = results.backend_of(handler, json.loads(job.context))
        result = results.of_end(handler, job, transition)
        task_finished.send_robust(type(backend), task_result=result)


def _tell_of_loss(sender: Any, *, job_id: int, kind: str, state: State, **kwargs: Any) -> None:
    from forge_jobs.backend import results
    from forge_jobs.models import Job

    handler = registry.find(kind)
    if state not in TERMINAL or not isinstance(handler, TaskHandler):
        return
    if job := Job.objects.select_related("process").filter(pk=job_id).first():
        backend = results.backend_of(handler, job.context)
        result = results.for_others(handler, results.of_job(handler, job))
        task_finished.send_robust(type(backend), task_result=result)
