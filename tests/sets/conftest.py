"""Handlers whose runs leave a trace."""

from typing import Any

import pytest

from forge_jobs import Dead, JobContext, JobHandler, job
from forge_jobs.models import Job


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def write(log: list[str]) -> JobHandler:
    @job(kind="tests.write")
    def write(*, name: str) -> str:
        log.append(name)
        return name.upper()

    return write


@pytest.fixture
def fall() -> JobHandler:
    """Is dead until it is mended."""

    @job(kind="tests.fall", max_attempts=1, takes_context=True)
    def fall(ctx: JobContext) -> Any:
        return None if ctx.context.get("is_mended") else Dead("It fell.")

    return fall


def mend(stored: Job) -> None:
    Job.objects.filter(pk=stored.pk).update(context={"is_mended": True})
    assert stored.requeue()


def state_of(stored: Job) -> str:
    stored.refresh_from_db()
    return stored.state
