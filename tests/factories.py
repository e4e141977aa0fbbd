"""Rows that tests need, with as little said about them as matters."""

from typing import Any

from forge_jobs.models import Process
from tests.conftest import NOON


def process_named(name: str, **columns: Any) -> Process:
    usual = {"host": "tests", "pid": 1, "seconds_after_boot": 0.0}
    moments = {"started_at": NOON, "heartbeat_at": NOON}
    process: Process = Process.objects.create(name=name, **usual | moments | columns)
    return process
