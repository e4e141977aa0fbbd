"""What the page shows of the latest export: how far it is, and where its archive is."""

from dataclasses import asdict, dataclass
from typing import Any, Self

from django.urls import reverse

from forge_jobs.models import Job, State
from sample_project.gallery.models import ENDED


@dataclass(frozen=True, kw_only=True)
class Archive:
    job: int
    page: str
    """Of the job, in Mission Control."""
    state: str
    label: str
    done: int
    total: int
    message: str
    address: str
    """Empty until there is an archive."""

    @classmethod
    def latest(cls) -> Self | None:
        """None if nobody has asked for one."""
        job = Job.objects.filter(kind="gallery.export_pictures").order_by("-pk").first()
        return None if job is None else cls.of(job)

    @classmethod
    def of(cls, job: Job) -> Self:
        progress = job.progress or {}
        result = job.result if job.state == State.SUCCEEDED else None
        return cls(
            job=job.pk,
            page=reverse("admin:forge_jobs_job_change", args=[job.pk]),
            state=job.state,
            label="stopping" if job.cancel_requested_at else str(State(job.state).label),
            done=progress.get("done") or 0,
            total=progress.get("total") or 1,
            message=progress.get("message") or "",
            address=(result or {}).get("address", ""),
        )

    @property
    def is_under_way(self) -> bool:
        return self.state not in ENDED

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "is_under_way": self.is_under_way}
