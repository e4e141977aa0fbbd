"""Chains: jobs one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.db import transaction

from forge_jobs import db
from forge_jobs.enqueueing.enqueue import NewJob, enqueue
from forge_jobs.exceptions import InvalidOption
from forge_jobs.wording import quoted

if TYPE_CHECKING:
    from forge_jobs.models import Job


class Chain:
    """Jobs of which each comes after the one before; see `chain()`."""

    def __init__(self, jobs: tuple[NewJob, ...]) -> None:
        self.jobs = jobs

    def enqueue(self) -> list[Job]:
        """Store them all, or none; returns them in their order.

        Raises what `enqueue()` does.
        """
        stored: list[Job] = []
        with transaction.atomic(using=db.connection().alias):
            for job in self.jobs:
                options: Any = job.options
                if stored:
                    own = options.get("after")
                    options = {**options, "after": [stored[-1], *([own] if own else [])]}
                stored.append(enqueue(job.kind, job.payload, **options))
        return stored

    async def aenqueue(self) -> list[Job]:
        return await sync_to_async(self.enqueue)()


def chain(*jobs: NewJob) -> Chain:
    """Let jobs run one after the other: `chain(fetch.new(id=1), parse.new(id=1)).enqueue()`.

    Each finds what the one before returned in `ctx.results`.
    """
    for job in jobs:
        if not isinstance(job, NewJob):
            raise InvalidOption(
                f"a chain is made of jobs such as handler.new(...), not of {quoted(job)}.",
                field="jobs",
            )
    return Chain(jobs)
