"""What Django asks of a job since it was enqueued or requeued: attempts, errors and workers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from forge_jobs.backend.api import TaskError, TaskResultStatus
from forge_jobs.handlers.border import class_path
from forge_jobs.handlers.outcomes import Cancelled, Failed
from forge_jobs.handlers.settlement_texts import FORGIVEN
from forge_jobs.states import State

CANCELLED: Final = "The task was cancelled."

STATUSES: Final = {
    State.RUNNING: TaskResultStatus.RUNNING,
    State.SUCCEEDED: TaskResultStatus.SUCCESSFUL,
    State.DEAD: TaskResultStatus.FAILED,
    State.CANCELLED: TaskResultStatus.FAILED,
}
"""All others wait, for whatever it may be: Django calls that READY."""


@dataclass(frozen=True, kw_only=True)
class Life:
    """A job since it was enqueued or requeued."""

    status: TaskResultStatus
    attempt: int
    enqueued_at: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    errors: Sequence[dict[str, Any]]
    worker: str | None
    """The process that runs it, or ran it last."""
    result: Any = None
    cancelled: str | None = None
    """Why, if it was."""

    def failures(self) -> list[dict[str, Any]]:
        """Its errors, one an attempt; those before it was requeued are another life's."""
        failures: list[dict[str, Any]] = []
        following = self.attempt + 1
        for error in reversed([error for error in self.errors if not error.get(FORGIVEN)]):
            if error["attempt"] >= following:
                break
            failures.insert(0, error)
            following = error["attempt"]
        return failures

    def worker_ids(self) -> list[str]:
        """One an attempt; of very many failures the oldest are not kept."""
        names = [error.get("process") or "" for error in self.failures()]
        if len(names) < self.attempt:
            names.append(self.worker or "")
        return [""] * (self.attempt - len(names)) + names

    def task_errors(self) -> list[TaskError]:
        """Django knows no cancelled tasks: they have failed, with that for an error."""
        errors = [
            TaskError(
                exception_class_path=error.get("exception") or class_path(Failed),
                traceback=error.get("traceback") or error["message"],
            )
            for error in self.failures()
        ]
        if self.cancelled is not None:
            errors.append(
                TaskError(exception_class_path=class_path(Cancelled), traceback=self.cancelled)
            )
        return errors

    def last_started_at(self) -> datetime | None:
        """None without an attempt, as of a task that was snoozed: that one was given back."""
        return self.started_at if self.attempt else None

    def first_started_at(self) -> datetime | None:
        for error in self.failures():
            if started_at := error.get("started_at"):
                return datetime.fromisoformat(started_at)
        return self.last_started_at()
