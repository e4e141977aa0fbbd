"""What the page shows of the larger works, the latest of each sort: how far it is, what it made."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Self

from django.urls import reverse

from forge_jobs.models import Batch, BatchState, Job, JobStep, State
from sample_project.gallery.actions import ALBUM, PUBLICATION
from sample_project.gallery.models import ENDED

CATALOGUE_STEPS: Final = ("choose", "print", "announce", "enter")
MARKS: Final = {BatchState.SUCCEEDED: State.SUCCEEDED, BatchState.FAILED: State.DEAD}


@dataclass(frozen=True, kw_only=True)
class Work:
    """A job or a batch, which has a page in Mission Control."""

    name: str
    title: str = ""
    page: str = ""
    state: str = ""
    label: str = ""
    done: int = 0
    total: int = 1
    message: str = ""
    address: str = ""
    """Of what it made, empty until then."""
    steps: dict[str, bool] = field(default_factory=dict)
    """Whether each has been stored."""
    is_under_way: bool = False

    @classmethod
    def of_batch(cls, name: str, batch: Batch | None) -> Self:
        if batch is None:
            return cls(name=name)
        counts = batch.counts or batch.all_jobs().counts()
        ended = {state: counts[state] for state in ENDED if counts.get(state)}
        told = [f"{count} {State(state).label}" for state, count in ended.items()]
        return cls(
            name=name,
            title=f"batch {batch.pk}",
            page=reverse("admin:forge_jobs_batch_change", args=[batch.pk]),
            state=MARKS.get(BatchState(batch.state), State.RUNNING),
            label=str(BatchState(batch.state).label) if batch.has_ended else "under way",
            done=sum(ended.values()),
            total=sum(counts.values()) or 1,
            message=f"{', '.join(told) or 'none'} of {sum(counts.values())} jobs",
            is_under_way=not batch.has_ended,
        )

    @classmethod
    def of_job(cls, name: str, job: Job | None, *, steps: tuple[str, ...] = ()) -> Self:
        if job is None:
            return cls(name=name, steps=dict.fromkeys(steps, False))
        progress = job.progress or {}
        result = job.result if job.state == State.SUCCEEDED else None
        rows = JobStep.objects.filter(job_id=job.pk, name__in=steps) if steps else ()
        stored = {step.name: step.value for step in rows}
        return cls(
            name=name,
            title=f"job {job.pk}",
            page=reverse("admin:forge_jobs_job_change", args=[job.pk]),
            state=job.state,
            label="stopping" if job.cancel_requested_at else _label(job),
            done=progress.get("done") or 0,
            total=progress.get("total") or 1,
            message="" if job.state in ENDED else progress.get("message") or "",
            address=(result or {}).get("address") or stored.get("print") or "",
            steps={step: step in stored for step in steps},
            is_under_way=job.state not in ENDED,
        )


def works() -> list[Work]:
    return [
        Work.of_batch("import", _latest_batch(ALBUM)),
        Work.of_batch("publication", _latest_batch(PUBLICATION)),
        Work.of_job("catalogue", _latest_job("publish_catalogue"), steps=CATALOGUE_STEPS),
        Work.of_job("export", _latest_job("export_pictures")),
    ]


def as_json() -> Iterator[dict[str, Any]]:
    return map(asdict, works())


def _latest_batch(name: str) -> Batch | None:
    return Batch.objects.filter(name__startswith=name).order_by("-pk").first()


def _latest_job(name: str) -> Job | None:
    return Job.objects.filter(kind=f"gallery.{name}").order_by("-pk").first()


def _label(job: Job) -> str:
    label = str(State(job.state).label)
    return f"{label}, run {job.attempt}" if job.attempt > 1 else label
