"""`manage.py jobs list`: some jobs, a line each."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand

from forge_jobs import clock
from forge_jobs.dashboard.batch_jobs import listed
from forge_jobs.dashboard.documents import parsed
from forge_jobs.management import parsing
from forge_jobs.management.rendering import ago, document, one_line, shortened, table
from forge_jobs.management.steering import add_filters, filters
from forge_jobs.models import Job, State
from forge_jobs.operations.selection import Selection
from forge_jobs.states import TERMINAL

LOOKED: Final = (
    "Not all jobs were looked through; say more of what you look for, first of all the "
    "--state and --queue."
)
USUAL: Final = 20
MOST: Final = 1_000
HEADS: Final = ("id", "kind", "queue", "state", "attempt", "when", "last error")
LONGEST_KIND: Final = 32
LONGEST_QUEUE: Final = 16
LONGEST_ERROR: Final = 60


def add_arguments(parser: ArgumentParser) -> None:
    add_filters(parser, states=list(State), usual="all, the newest first")
    parser.add_argument(
        "--limit",
        type=parsing.count(MOST),
        default=USUAL,
        metavar="N",
        help=f"how many at most, up to {MOST:,} (default: {USUAL})",
    )
    parser.add_argument("--json", dest="as_json", action="store_true", help="one JSON document")


def show(command: BaseCommand, *, limit: int, as_json: bool, **options: Any) -> None:
    now = clock.now()
    jobs, left_out = _found(filters(options), limit=limit, now=now)
    if as_json:
        command.stdout.write(document([_fields(job) for job in jobs]))
    elif jobs:
        cells = [_cells(job, now=now) for job in jobs]
        command.stdout.write("\n".join(table(HEADS, cells, right={"id", "attempt"})))
    else:
        command.stdout.write("There are no such jobs.")
    if left_out:
        command.stderr.write(left_out)


def _found(given: Mapping[str, Any], *, limit: int, now: datetime) -> tuple[list[Job], str]:
    """Of several states, one after the other; and a sentence, if these may not be all."""
    states = [[state] for state in given["states"]] if "states" in given else [list(State)]
    jobs: list[Job] = []
    left_out = ""
    for one in states:
        wanted = limit - len(jobs)
        page = listed(Selection(**{**given, "states": one}), now=now).bare_page(size=max(1, wanted))
        jobs += page.jobs[:wanted]
        if page.after is not None or len(page.jobs) > wanted:
            left_out = f"There are more than {limit:,}; --limit shows up to {MOST:,}."
        elif page.looked_to is not None:
            left_out = left_out or LOOKED
    return jobs, left_out


def _cells(job: Job, *, now: datetime) -> Sequence[str]:
    return [
        str(job.pk),
        shortened(one_line(job.kind), LONGEST_KIND),
        shortened(one_line(job.queue), LONGEST_QUEUE),
        job.state,
        f"{job.attempt} of {job.max_attempts or 'any'}",
        ago(_since(job), now=now),
        shortened(one_line(job.last_error), LONGEST_ERROR),
    ]


def _since(job: Job) -> datetime:
    """When it ended, began, or is due."""
    if job.state in TERMINAL and job.finished_at:
        return job.finished_at
    if job.state == State.RUNNING and job.started_at:
        return job.started_at
    return job.run_at


def _fields(job: Any) -> dict[str, Any]:
    return {
        "id": job.pk,
        "kind": job.kind,
        "queue": job.queue,
        "state": job.state,
        "priority": job.priority,
        "attempt": job.attempt,
        "max_attempts": job.max_attempts,
        "enqueued_at": _iso(job.enqueued_at),
        "run_at": _iso(job.run_at),
        "expires_at": _iso(job.expires_at),
        "started_at": _iso(job.started_at),
        "finished_at": _iso(job.finished_at),
        "dedupe_key": job.dedupe_key,
        "idempotency_key": job.idempotency_key,
        "concurrency_key": job.concurrency_key,
        "last_error": job.last_error,
        "labels": parsed(job.labels_text) or [],
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
