"""PostgreSQL: an atomic handler's success and the end of its session's use are one message."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction

from forge_jobs import job
from forge_jobs.handlers.outcomes import Outcome
from forge_jobs.models import Job, State
from forge_jobs.runtime.keeper import custody
from tests.app.models import Effect
from tests.db.test_beginning_late import questions, run_to_a_commit_that_divides
from tests.running import drain

if connection.vendor != "postgresql":
    pytest.skip("SQLite's sessions have nothing to forget", allow_module_level=True)

from forge_jobs.db.postgresql import sessions

pytestmark = pytest.mark.django_db(transaction=True)

LEAVE_SOMETHING = [
    "SET lock_timeout = '12345ms'",
    "SELECT pg_advisory_lock(12345)",
    "CREATE TEMP TABLE left_behind ()",
    "PREPARE left_behind AS SELECT 1",
    "LISTEN left_behind",
    "DECLARE left_behind CURSOR WITH HOLD FOR SELECT 1",
]
LOOK = """
SELECT
    pg_backend_pid(),
    current_setting('lock_timeout'),
    (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()),
    to_regclass('left_behind')::text,
    (SELECT count(*) FROM pg_prepared_statements),
    (SELECT count(*) FROM pg_listening_channels()),
    (SELECT count(*) FROM pg_cursors WHERE name = 'left_behind')
"""
NOTHING = ["0", 0, None, 0, 0, 0]


@pytest.fixture(autouse=True)
def _in_a_process_of_ours(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    connection.close()
    monkeypatch.setattr(custody, "is_ours", True)
    yield
    connection.close()


def asked(*statements: str) -> Any:
    """What the last of them gives."""
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
        return list(cursor.fetchone())


@job(kind="tests.look", priority=-1)
def look() -> list[Any]:
    found: list[Any] = asked(LOOK)
    return found


def results() -> list[Any]:
    return list(Job.objects.order_by("pk").values_list("result", flat=True))


def test_one_message_writes_the_success_commits_and_has_all_forgotten(tmp_path: Path) -> None:
    trace = tmp_path / "trace"

    @job(kind="tests.subject", atomic=True)
    def subject(file: int) -> None:
        connection.connection.pgconn.trace(file)
        Effect.objects.get().save(update_fields=["number"])

    Effect.objects.create(number=1)
    with trace.open("w") as file:
        subject.enqueue(file=file.fileno())
        drain()

    assert Job.objects.get().state == State.SUCCEEDED
    assert questions(trace) == ["BEGIN;SELECT", 'UPDATE "app_', "WITH settled"]


def test_the_next_job_finds_nothing_of_what_it_left_in_the_same_session() -> None:
    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        asked(*LEAVE_SOMETHING, "SELECT 1")
        Effect.objects.create(number=connection.connection.info.backend_pid)

    subject.enqueue()
    look.enqueue()
    drain(threads=1)

    _, (pid, *found) = results()
    assert (pid, found) == (Effect.objects.get().number, NOTHING)


def test_what_is_called_after_the_commit_finds_its_session_as_the_handler_left_it() -> None:
    found = []

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        asked("SET lock_timeout = '12345ms'", "SELECT 1")
        transaction.on_commit(lambda: found.append(asked("SHOW lock_timeout")))

    subject.enqueue()
    look.enqueue()
    drain(threads=1)

    _, (_, *afterwards) = results()
    assert (found, afterwards) == ([["12345ms"]], NOTHING)


def test_a_success_stays_one_though_the_way_back_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """As by a cancel that comes too late: what was committed must not seem to have failed."""

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        asked("SET lock_timeout = '12345ms'", "SELECT 1")
        Effect.objects.create(number=1)

    monkeypatch.setattr(sessions, "FORGET", f"SELECT 1 / 0;{sessions.FORGET}")
    subject.enqueue()
    look.enqueue()
    drain(threads=1)

    (first, _), (_, (_, *found)) = Job.objects.order_by("pk"), results()
    assert (first.state, first.attempt, Effect.objects.count()) == (State.SUCCEEDED, 1, 1)
    assert found == NOTHING


def test_a_commit_that_fails_is_no_success() -> None:
    stored = run_to_a_commit_that_divides()
    assert (stored.state, stored.attempt, Effect.objects.count()) == (State.RETRYING, 1, 0)
    assert "division by zero" in stored.last_error


@pytest.mark.parametrize(
    "lose",
    [
        "CREATE TEMP TABLE forge_jobs_job (LIKE public.forge_jobs_job)",
        "UPDATE forge_jobs_job SET started_at = started_at - interval '1 hour'",
    ],
)
def test_a_success_that_finds_no_row_of_its_own_leaves_no_effect(lose: str) -> None:
    """Be it that the claim was lost, or that the handler made a table of the same name."""
    runs: list[int] = []

    @job(kind="tests.subject", atomic=True)
    def subject() -> None:
        runs.append(1)
        if len(runs) == 1:
            Effect.objects.create(number=1)
            asked(lose, "SELECT 1")

    subject.enqueue()
    drain(threads=1)

    assert (len(runs), Effect.objects.count()) == (2, 0)
    assert Job.objects.get().state == State.SUCCEEDED


def test_a_handler_that_fails_leaves_its_session_as_ever() -> None:
    @job(kind="tests.subject", atomic=True)
    def subject() -> Outcome | None:
        asked("SET SESSION lock_timeout = '12345ms'", "SELECT pg_advisory_lock(12345)", "SELECT 1")
        raise ValueError

    subject.enqueue()
    look.enqueue()
    drain(threads=1)

    assert results()[1][1:] == NOTHING
