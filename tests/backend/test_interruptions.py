"""A task that has begun is not begun again, whatever ends it, unless it is told otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from django.db import connection

from forge_jobs.backend.api import TaskResultStatus, task_finished
from forge_jobs.exceptions import ProcessLost
from forge_jobs.models import Job, State
from tests.app import tasks
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def hold(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """What `tasks.hold` waits for."""
    released = Event()
    monkeypatch.setattr(tasks, "released", released)
    yield released
    released.set()


def stopped_while_running(result: Any) -> Any:
    stopping = engine(threads=1, shutdown_timeout=0.1)
    with running(stopping):
        eventually(lambda: bool(stopping.workers.runs()))
        assert tasks.begun.wait(PATIENCE)
        tasks.begun.clear()
    result.refresh()
    return result


def test_a_task_that_its_process_could_not_wait_for_has_failed(hold: Event) -> None:
    told: list[Any] = []
    task_finished.connect(listener := lambda task_result, **_: told.append(task_result.id))
    try:
        result = stopped_while_running(tasks.hold.enqueue())
    finally:
        task_finished.disconnect(listener)

    assert (result.status, result.worker_ids) == (TaskResultStatus.FAILED, ["tested"])
    assert result.errors[0].exception_class is ProcessLost
    assert "Process tested stopped" in result.errors[0].traceback
    assert told == [result.id]


def test_it_costs_a_task_with_more_attempts_one_of_them(hold: Event) -> None:
    result = stopped_while_running(tasks.hold.using(backend="patient").enqueue())

    assert (result.status, result.attempts) == (TaskResultStatus.READY, 1)
    assert Job.objects.get().state == State.RETRYING


@pytest.mark.skipif(not tasks.TAKES_OPTIONS, reason="@task takes no options in Django 6.0")
def test_an_atomic_task_runs_again_for_nothing_of_it_has_happened(hold: Event) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("nobody can give a job back while its transaction holds the only lock")
    result = stopped_while_running(tasks.hold_atomically.enqueue())

    assert (result.status, result.attempts) == (TaskResultStatus.READY, 0)


def test_a_task_that_loses_its_session_with_the_database_has_failed() -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no sessions that can be lost")
    result: Any = tasks.cut_itself_off.enqueue()
    drain()

    result.refresh()
    assert (result.status, result.attempts) == (TaskResultStatus.FAILED, 1)
    assert result.errors[0].exception_class.__name__ in ("OperationalError", "InterfaceError")
