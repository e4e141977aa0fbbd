"""Prepares a process for its fault: one inside a claim, or a clock that jumps."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

from django.apps import AppConfig
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

HOLD_AT = os.environ.get("FORGE_JOBS_FAULTS_HOLD_AT", "")
"""The file to make once the queue's row is locked; the claim goes no further."""


class AtSizeConfig(AppConfig):
    name = "tests.faults.at_size"
    label = "at_size"

    def ready(self) -> None:
        if HOLD_AT:
            connection_created.connect(_watch)
        if "FAKETIME_TIMESTAMP_FILE" in os.environ:
            # It sleeps until a moment of the monotonic clock, which libfaketime gets wrong.
            time.sleep = Event().wait  # type: ignore[assignment] # it waits as long


def _watch(*, connection: BaseDatabaseWrapper, **kwargs: object) -> None:
    if _hold not in connection.execute_wrappers:
        connection.execute_wrappers.append(_hold)


def _hold(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    answer = execute(sql, params, many, context)
    if sql.startswith("SELECT") and "forge_jobs_queue" in sql and "FOR UPDATE" in sql:
        Path(HOLD_AT).touch()
        Event().wait()
    return answer
