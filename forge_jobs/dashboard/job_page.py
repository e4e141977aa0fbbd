"""All of one job: what it is, what keeps it, what happened to it, its kin and its neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Self

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forge_jobs.dashboard.diagnosis import Diagnosis, diagnose
from forge_jobs.dashboard.documents import Document, parsed, texts_of
from forge_jobs.dashboard.errors import JobError, read_errors
from forge_jobs.dashboard.facts import read_facts
from forge_jobs.dashboard.job_line import Progress, run_time
from forge_jobs.dashboard.kin import Kin, comes_after, comes_before
from forge_jobs.dashboard.list_page import HEAVY
from forge_jobs.dashboard.steps import StoredStep, stored_steps
from forge_jobs.dashboard.timeline import Moment, timeline
from forge_jobs.models import Batch, Child, Job, JobLabel, Process

NEIGHBOURS: Final = 10


@dataclass(frozen=True, kw_only=True)
class JobPage:
    job: Job
    process: Process | None
    child: Child | None
    batch: Batch | None
    after: Kin
    before: Kin
    diagnosis: Diagnosis | None
    progress: Progress | None
    run_time: timedelta | None
    documents: Sequence[Document]
    steps: Sequence[StoredStep]
    errors: Sequence[JobError]
    timeline: Sequence[Moment]
    neighbours: Sequence[Job]
    labels: Sequence[str]

    @classmethod
    def read(cls, job: Job, *, now: datetime) -> Self:
        texts = texts_of(job, "payload", "result", "context", "errors")
        errors = read_errors(parsed(texts["errors"]), otherwise=job.enqueued_at)
        return cls(
            job=job,
            process=Process.objects.filter(pk=job.process_id).first() if job.process_id else None,
            child=Child.objects.of(job),
            batch=Batch.objects.filter(pk=job.batch_id).first() if job.batch_id else None,
            after=comes_after(job),
            before=comes_before(job),
            diagnosis=diagnose(read_facts(job, now=now)),
            progress=Progress.of(job),
            run_time=run_time(job, now=now),
            documents=_documents(job, texts),
            steps=stored_steps(job),
            errors=errors[::-1],
            timeline=timeline(job, errors, now=now),
            neighbours=_neighbours(job),
            labels=JobLabel.objects.of([job.pk]).get(job.pk, ()),
        )

    @property
    def says_more(self) -> bool:
        """Whether the last error stands nowhere else: that of a cancelled run is not listed."""
        told = {"", self.job.cancel_reason, *(error.message for error in self.errors)}
        return self.job.last_error not in told


def _documents(job: Job, texts: Mapping[str, str | None]) -> list[Document]:
    titles = {"payload": _("Payload"), "result": _("Result"), "context": _("Context")}
    return [
        Document.of(name, title, texts[name] or "null", kind=job.kind)
        for name, title in titles.items()
        if name == "payload" or texts[name] not in (None, "null", "{}")
    ]


def _neighbours(job: Job) -> list[Job]:
    """Unfinished jobs with a key of this one's, by the indexes that keep the keys."""
    jobs = Job.objects.defer(*HEAVY).exclude(pk=job.pk)
    found: dict[int, Job] = {}
    if job.concurrency_key:
        same = jobs.filter(concurrency_key=job.concurrency_key)
        holders = same.filter(concurrency_slot__isnull=False)
        waiting = same.blocked().order_by("run_at", "id")
        for row in [*holders[:NEIGHBOURS], *waiting[:NEIGHBOURS]]:
            found[row.pk] = row
    if job.dedupe_key:
        for row in jobs.unfinished().filter(Q(dedupe_key=job.dedupe_key)):
            found[row.pk] = row
    return list(found.values())[:NEIGHBOURS]
