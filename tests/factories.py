"""Rows that tests need, with as little said about them as matters."""

from forge_jobs.models import Process
from tests.conftest import NOON


def process_named(name: str) -> Process:
    process: Process = Process.objects.create(
        name=name, host="tests", pid=1, seconds_after_boot=0.0, started_at=NOON
    )
    return process
