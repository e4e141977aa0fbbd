"""What a requeue takes from a finished job, to be given back if it has not begun by then."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from forge_jobs.models.step import JobStep
from forge_jobs.states import TERMINAL, State

if TYPE_CHECKING:
    from forge_jobs.models.job import Job


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How a job had ended."""

    state: str
    attempt: int
    started_at: datetime | None
    finished_at: datetime | None
    process_name: str | None
    cancel_requested_at: datetime | None
    cancel_reason: str
    cancelled_by: str
    is_to_be_killed: bool

    @classmethod
    def of(cls, job: Job) -> Self | None:
        """None for one that is unfinished, or has a result, or as a success steps: a requeue drops
        those for good.
        """
        if job.state not in TERMINAL:
            return None
        # Asked for, not fetched: it may be large, or too deep to be read.
        if type(job).objects.filter(pk=job.pk, result__isnull=False).exists():
            return None
        if job.state == State.SUCCEEDED and JobStep.objects.filter(job_id=job.pk).exists():
            return None
        return cls(**{name: getattr(job, name) for name in cls.__annotations__})

    def columns(self) -> dict[str, Any]:
        return asdict(self)

    def as_json(self) -> dict[str, Any]:
        return {
            name: value.isoformat() if isinstance(value, datetime) else value
            for name, value in self.columns().items()
        }

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Self:
        values: dict[str, Any] = {
            name: datetime.fromisoformat(value) if value and name.endswith("_at") else value
            for name, value in document.items()
        }
        return cls(**values)
