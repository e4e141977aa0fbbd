"""Jobs in whatever state a test needs, and ways to look at them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from django.db import transaction

from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.models import Job, Process, State
from tests.conftest import NOON


def stored_job(**columns: Any) -> Job:
    """A ready job of a kind that does nothing, but for what is said of it."""
    usual = {"queue": "default", "kind": "app.noop", "payload": {}, "run_at": NOON}
    if columns.get("state") == State.BLOCKED:
        usual |= {"concurrency_key": "busy", "concurrency_limit": 1}
    job: Job = Job.objects.create(**usual | {"state": State.READY} | columns)
    return job


def finished_job(state: State = State.DEAD, **columns: Any) -> Job:
    """A job that is over, but for what is said of it."""
    usual = {"attempt": 3, "started_at": NOON, "finished_at": NOON}
    return stored_job(state=state, **usual | columns)


def claim(process: Process, *, limit: int = 100, **options: Any) -> list[ClaimedJob]:
    """Claim at NOON from the default queue, as a process that knows one kind."""
    usual: dict[str, Any] = {"queue": "default", "kinds": ["app.noop"], "now": NOON}
    claimed: list[ClaimedJob] = Job.objects.claim(process=process, limit=limit, **usual | options)
    return claimed


def transition(job: ClaimedJob, state: State = State.SUCCEEDED, **columns: Any) -> Transition:
    """A way out of `running` for a claimed job."""
    return Transition(job.id, job.claimed_at, state, columns.pop("attempt", job.attempt), **columns)


def columns(job: Job, *, without: tuple[str, ...] = ()) -> dict[str, Any]:
    """All of a job, as it is in memory."""
    names = [field.attname for field in Job._meta.concrete_fields]
    return {name: getattr(job, name) for name in names if name not in without}


@contextmanager
def rolled_back() -> Iterator[None]:
    """A transaction, or within one a savepoint, that ends in regret."""
    with suppress(_Regret), transaction.atomic():
        yield
        raise _Regret


class _Regret(Exception):
    pass
