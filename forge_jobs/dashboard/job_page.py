"""All of one job: what it is, what keeps it, what happened to it, and its neighbours."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Self

from django.db.models import Q
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forge_jobs.dashboard.diagnosis import Diagnosis, diagnose
from forge_jobs.dashboard.facts import read_facts
from forge_jobs.dashboard.frames import Passage, passages
from forge_jobs.dashboard.job_line import Progress, run_time
from forge_jobs.dashboard.job_list import HEAVY
from forge_jobs.dashboard.timeline import Moment, timeline
from forge_jobs.handlers.secrecy import shown
from forge_jobs.models import Job, Process

NEIGHBOURS: Final = 10
LONG: Final = 30
"""With more lines than that, JSON is folded."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """A JSON value of the job, as people read it."""

    name: str
    title: str | Promise
    text: str

    @property
    def lines(self) -> int:
        return self.text.count("\n") + 1

    @property
    def is_long(self) -> bool:
        return self.lines > LONG


@dataclass(frozen=True, kw_only=True)
class JobError:
    at: datetime
    attempt: Any
    message: str
    traceback: str

    @property
    def passages(self) -> list[Passage]:
        return passages(self.traceback or self.message)


@dataclass(frozen=True, kw_only=True)
class JobPage:
    job: Job
    process: Process | None
    diagnosis: Diagnosis | None
    progress: Progress | None
    run_time: timedelta | None
    documents: Sequence[Document]
    errors: Sequence[JobError]
    timeline: Sequence[Moment]
    neighbours: Sequence[Job]

    @classmethod
    def read(cls, job: Job, *, now: datetime) -> Self:
        return cls(
            job=job,
            process=Process.objects.filter(pk=job.process_id).first() if job.process_id else None,
            diagnosis=diagnose(read_facts(job, now=now)),
            progress=Progress.of(job),
            run_time=run_time(job, now=now),
            documents=_documents(job),
            errors=[_error(error) for error in reversed(job.errors)],
            timeline=timeline(job, now=now),
            neighbours=_neighbours(job),
        )

    @property
    def says_more(self) -> bool:
        """Whether the last error stands nowhere else: that of a cancelled run is not listed."""
        told = {"", self.job.cancel_reason, *(error.message for error in self.errors)}
        return self.job.last_error not in told


def _documents(job: Job) -> list[Document]:
    values = [
        ("payload", _("Payload"), job.payload),
        ("result", _("Result"), job.result),
        ("context", _("Context"), job.context),
    ]
    return [
        Document(
            name=name,
            title=title,
            text=json.dumps(shown(value, kind=job.kind), indent=2, ensure_ascii=False, default=str),
        )
        for name, title, value in values
        if name == "payload" or value not in (None, {})
    ]


def _error(error: dict[str, Any]) -> JobError:
    return JobError(
        at=datetime.fromisoformat(error["at"]),
        attempt=error.get("attempt", "?"),
        message=str(error.get("message", "")),
        traceback=str(error.get("traceback") or ""),
    )


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
