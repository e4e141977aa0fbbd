"""A page of the list of jobs, and what is fetched of each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import QuerySet

from forge_jobs.dashboard.order import Place
from forge_jobs.dashboard.payloads import short_payload
from forge_jobs.models import Job
from forge_jobs.models.label import LabelsOf

HEAVY: Final = ("payload", "result", "errors", "context")


@dataclass(frozen=True, kw_only=True)
class JobPage:
    """`before` and `after` are the places to go on from, None where there is nothing more.

    `looked_to` is the last place that was looked at, where the page was not full by then.
    `matched` is how many fit among those that were looked through from the start on; None where
    that says nothing, because nobody had to be looked at, or the page is not the first one.
    `looked` is how many were looked through.
    """

    jobs: Sequence[Job]
    before: Place | None
    after: Place | None
    looked_to: Place | None
    matched: int | None
    looked: int
    is_all: bool


def for_people() -> QuerySet[Job]:
    jobs: QuerySet[Job] = Job.objects.defer(*HEAVY)
    return jobs.annotate(short_payload=short_payload())


def for_programs() -> QuerySet[Job]:
    jobs: QuerySet[Job] = Job.objects.defer(*HEAVY)
    return jobs.annotate(labels_text=LabelsOf("pk"))
