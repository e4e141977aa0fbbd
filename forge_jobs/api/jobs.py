"""Jobs: lists by the filters of Mission Control, one with its timeline, and what is done to one."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from django.http import HttpRequest
from ninja import Query as InQuery
from ninja import Router
from pydantic import Field

from forge_jobs import clock, db
from forge_jobs.admin.job_filter import JobFilter
from forge_jobs.api import job_shapes
from forge_jobs.api.job_shapes import JobDocument, JobPageDocument, Timeline
from forge_jobs.api.problems import invalid
from forge_jobs.api.seat import Seat
from forge_jobs.api.shapes import UNSAID, Done, Id, Query, StateName, Why
from forge_jobs.api.verbs import Verb, add_verbs
from forge_jobs.conf import conf
from forge_jobs.dashboard.batch_jobs import listed
from forge_jobs.dashboard.job_list import JobList
from forge_jobs.dashboard.list_page import HEAVY, JobPage
from forge_jobs.dashboard.order import Place
from forge_jobs.dashboard.totals import Totals
from forge_jobs.db.by_key import ByKey
from forge_jobs.models import Job

router: Final = Router(tags=["Jobs"])

MOST: Final = 200
PLACES: Final = ("after", "before")
FILTERS: Final = ("state", "queue", "kind", "label", "error", "batch", "q", "since", "until")


DOCUMENTED: Final = ByKey(
    lambda using, pk: job_shapes.documented(Job.objects.using(using).defer(*HEAVY)).filter(pk=pk),
    lambda: Job._meta.pk,
)


class Filters(Query):
    """Which jobs; what is not given does not matter."""

    state: StateName | None = None
    queue: str | None = Field(None, min_length=1, max_length=100)
    kind: str | None = Field(
        None, min_length=1, max_length=201, description="A prefix, if it ends with *."
    )
    label: str | None = Field(None, min_length=1, max_length=100)
    error: str | None = Field(
        None,
        min_length=1,
        max_length=201,
        description="The first line of the last error, or its beginning and *.",
    )
    batch: Id | None = None
    q: str | None = Field(
        None, min_length=1, max_length=200, description="A part of payload or last error; or #id."
    )
    since: str | None = Field(
        None,
        min_length=1,
        max_length=40,
        description="A moment, or an age such as 30m or 7d: of when a job finished, or if it has "
        "not, of when it was enqueued. A moment without its offset is one of the project's zone.",
        examples=["24h"],
    )
    until: str | None = Field(None, min_length=1, max_length=40, description="As since.")


class Listing(Filters):
    after: str | None = Field(None, max_length=500, description="The next of another page.")
    before: str | None = Field(None, max_length=500, description="The previous of another page.")
    limit: int = Field(50, ge=1, le=MOST)


@router.get("/jobs", response=JobPageDocument, operation_id="list_jobs", summary="List jobs")
def list_jobs(request: HttpRequest, asked: InQuery[Listing]) -> dict[str, Any]:
    """Without a state the newest first, else in the order in which they ended, run or are due."""
    Seat.looking(request, Job)
    now = clock.now()
    with db.snapshot():
        jobs = listed(job_filter(asked.model_dump()).selection(), now=now)
        places = {name: _place(jobs, name, getattr(asked, name)) for name in PLACES}
        if all(places.values()):
            raise invalid(("before", "Give after or before, not both."))
        page = jobs.bare_page(after=places["after"], before=places["before"], size=asked.limit)
    return {
        "jobs": [job_shapes.line(job) for job in page.jobs],
        **_neighbours(jobs, page, is_backward=places["before"] is not None),
    }


@router.get(
    "/jobs/{int:id}",
    response=JobDocument,
    operation_id="get_job",
    summary="Read a job",
    url_name="job",
)
def get_job(request: HttpRequest, id: Id) -> dict[str, Any]:
    seat = Seat.looking(request, Job)
    if seat.narrows:
        job = seat.row(job_shapes.documented(seat.rows), pk=id)
    else:
        job = seat.kept_row(DOCUMENTED, id)
    return job_shapes.document(job, now=clock.now())


@router.delete(
    "/jobs/{int:id}", response=Done, operation_id="delete_job", summary="Delete a finished job"
)
def delete_job(request: HttpRequest, id: Id) -> dict[str, str]:
    return Seat.of(request, Job).press("forge_jobs_delete_job", {"pk": id})


@router.get(
    "/jobs/{int:id}/timeline",
    response=Timeline,
    operation_id="get_timeline",
    summary="Read what happened to a job",
)
def get_timeline(request: HttpRequest, id: Id) -> dict[str, Any]:
    """The oldest first; what is still to come is last."""
    job = Seat.looking(request, Job).row(pk=id)
    with db.snapshot():
        return job_shapes.timeline_of(job, now=clock.now())


@router.get(
    "/jobs/{int:id}/why",
    response=job_shapes.WhyDocument,
    operation_id="get_why",
    summary="Read what keeps a job, and what it comes after",
)
def get_why(request: HttpRequest, id: Id) -> dict[str, Any]:
    job = Seat.looking(request, Job).row(pk=id)
    with db.snapshot():
        return job_shapes.why(job, now=clock.now())


@router.post(
    "/jobs/{int:id}/cancel", response=Done, operation_id="cancel_job", summary="Cancel a job"
)
def cancel_job(request: HttpRequest, id: Id, why: Why = UNSAID) -> dict[str, str]:
    """One that waits is cancelled at once; one that runs is asked to stop."""
    return Seat.of(request, Job).press("forge_jobs_cancel_job", {"pk": id}, reason=why.reason)


@router.post("/jobs/{int:id}/kill", response=Done, operation_id="kill_job", summary="Kill a job")
def kill_job(request: HttpRequest, id: Id, why: Why = UNSAID) -> dict[str, str]:
    """Its handler is ended in the midst of its work."""
    return Seat.of(request, Job).press("forge_jobs_kill_job", {"pk": id}, reason=why.reason)


add_verbs(
    router,
    "/jobs/{int:id}",
    partial(Seat.of, model=Job),
    Verb(
        "requeue",
        "requeue_job",
        "Requeue a job",
        "A finished one runs again, with fresh attempts.",
    ),
    Verb(
        "run-now",
        "run_job_now",
        "Run a job now",
        "One that waits for its time waits no longer.",
    ),
)


def job_filter(said: dict[str, Any]) -> JobFilter:
    """The filter of the job list, filled in; raises `Problem`.

    What is given and empty might have been meant to find few, and would find every job.
    """
    data = {name: str(said[name]) for name in FILTERS if said.get(name) is not None}
    if blank := [name for name in data if not data[name].strip()]:
        raise invalid((blank[0], f"{blank[0]} is empty: leave it out if it does not matter."))
    queues = {*conf().queues}
    if data.get("queue", "") not in {"", *queues}:
        queues |= Totals.read().queues()  # a former one
    found = JobFilter(data, queues=queues, now=clock.now())
    if not found.is_valid():
        raise invalid(*((name, " ".join(map(str, why))) for name, why in found.errors.items()))
    return found


def _place(jobs: JobList, name: str, written: str | None) -> Place | None:
    try:
        return jobs.order.read(written) if written else None
    except (ValueError, OverflowError):
        raise invalid((name, f"{name} is no place in this list.")) from None


def _neighbours(jobs: JobList, page: JobPage, *, is_backward: bool) -> dict[str, str | None]:
    """A page that is not full because so many were looked through goes on from there."""
    after, before = page.after, page.before
    if page.looked_to is not None:
        after, before = (after, page.looked_to) if is_backward else (page.looked_to, before)
    written = jobs.order.written
    return {
        "next": written(after) if after else None,
        "previous": written(before) if before else None,
    }
