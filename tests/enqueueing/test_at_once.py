"""PostgreSQL: a session that enqueues again and again stores a job and tells of it at once.

Nobody is to notice: neither who looks on, nor who is refused, nor who hears of it.
"""

import select
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, OperationalError, connection
from django.test.utils import CaptureQueriesContext

from forge_jobs.models import Job
from tests.app.jobs import fork_and_come_back as spoken
from tests.app.jobs import noop
from tests.enqueueing.onlookers import executed
from tests.wake.test_bursts import Heard

if connection.vendor != "postgresql":
    pytest.skip("SQLite tells nobody", allow_module_level=True)

from forge_jobs.db.postgresql import pipeline, prepared
from forge_jobs.db.postgresql.pipeline import Pipeline
from forge_jobs.wake import postgresql

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _no_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "BURST_SECONDS", 0.0)
    monkeypatch.setattr(postgresql, "AGAIN_SECONDS", 0.0)


@pytest.fixture
def pipelines(monkeypatch: pytest.MonkeyPatch) -> list[Pipeline]:
    """Those that were used."""
    used: list[Pipeline] = []
    ask = Pipeline.ask

    def noted(pipeline: Pipeline) -> Any:
        used.append(pipeline)
        return ask(pipeline)

    monkeypatch.setattr(Pipeline, "ask", noted)
    return used


@pytest.fixture
def _session() -> Iterator[None]:
    """One that has enqueued often enough."""
    connection.close()
    for _ in range(prepared.MANY):
        noop.enqueue()
    yield
    connection.close()


@pytest.mark.usefixtures("_session")
def test_the_job_is_as_any_other(pipelines: list[Pipeline]) -> None:
    job = spoken.using(priority=3, max_attempts=None, timeout=1.5).enqueue(how='a "key" ü €')

    assert len(pipelines) == 1
    stored = Job.objects.get(pk=job.pk)
    for field in Job._meta.concrete_fields:
        if field.attname != "run_at":
            assert getattr(job, field.attname) == getattr(stored, field.attname), field.attname
    assert stored.run_at == stored.enqueued_at


@pytest.mark.usefixtures("_session")
def test_others_hear_of_each_job(pipelines: list[Pipeline]) -> None:
    with Heard() as heard:
        for queue in ("default", "other", "default"):
            noop.using(queue=queue).enqueue()

        assert heard.all() == ["default", "other", "default"]
    assert len(pipelines) == 3


@pytest.mark.usefixtures("_session")
def test_what_is_large_goes_through(pipelines: list[Pipeline]) -> None:
    job = spoken.enqueue(how="x" * 900_000)

    assert len(pipelines) == 1
    assert len(Job.objects.get(pk=job.pk).payload["how"]) == 900_000


@pytest.mark.usefixtures("_session")
def test_who_is_refused_hears_why_and_nobody_hears_of_it(pipelines: list[Pipeline]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE forge_jobs_job ADD CONSTRAINT none CHECK (priority < 50)")
    try:
        with Heard() as heard:
            with pytest.raises(IntegrityError, match="none"):
                noop.using(priority=60).enqueue()
            assert heard.all() == []
        assert noop.enqueue().pk == Job.objects.latest("pk").pk
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE forge_jobs_job DROP CONSTRAINT none")
    assert len(pipelines) == 2  # the statement is not what was refused


@pytest.mark.usefixtures("_session")
@pytest.mark.parametrize("question", ["DISCARD ALL", "DEALLOCATE ALL"])
def test_a_server_that_forgot_what_it_kept_stores_and_tells_once(
    pipelines: list[Pipeline], question: str
) -> None:
    noop.enqueue()
    with connection.cursor() as cursor:
        cursor.execute(question)

    with Heard() as heard:
        noop.enqueue()
        noop.enqueue()
        assert heard.all() == ["default", "default"]
    assert (len(pipelines), Job.objects.count()) == (2, prepared.MANY + 3)


@pytest.mark.usefixtures("_session")
def test_a_session_that_is_lost_is_told_of_and_nothing_is_tried_twice(
    pipelines: list[Pipeline],
) -> None:
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(%s, 30000)", [connection.connection.info.backend_pid]
        )
    other.close()

    with pytest.raises(OperationalError):
        noop.enqueue()
    connection.close()
    assert (len(pipelines), Job.objects.count()) == (1, prepared.MANY)


@pytest.mark.usefixtures("_session")
def test_who_is_interrupted_goes_on_with_another_session(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted() -> select.poll:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(pipeline, "select", SimpleNamespace(poll=interrupted, POLLIN=select.POLLIN))
        with pytest.raises(KeyboardInterrupt):
            noop.enqueue()

    assert noop.enqueue().pk == Job.objects.latest("pk").pk


@pytest.mark.usefixtures("_session")
@pytest.mark.parametrize("asked", [0, 1])
def test_who_fails_while_asking_goes_on_with_another_session(
    asked: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = [True] * asked
    with monkeypatch.context() as patched:
        patched.setattr(prepared, "is_new", lambda *question: answers.pop())
        with pytest.raises(IndexError):
            noop.enqueue()

    assert noop.enqueue().pk == Job.objects.latest("pk").pk


@pytest.mark.usefixtures("_session")
def test_a_server_that_forgot_how_to_tell_is_told_as_ever_from_then_on(
    pipelines: list[Pipeline],
) -> None:
    noop.enqueue()
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE forge_jobs_notify")
    noop.enqueue()

    with Heard() as heard:
        noop.enqueue()
        assert heard.all() == ["default"]
    assert (len(pipelines), Job.objects.count()) == (2, prepared.MANY + 3)


@pytest.mark.usefixtures("_session")
def test_a_wake_that_fails_here_leaves_the_session_in_order(
    pipelines: list[Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = connection.connection
    with monkeypatch.context() as patched:
        patched.setattr("forge_jobs.wake.local.ring", lambda queue: 1 / 0)
        noop.enqueue()
    noop.enqueue()

    assert (len(pipelines), connection.connection) == (2, session)


@pytest.mark.usefixtures("_session")
def test_who_counts_queries_counts_both() -> None:
    with CaptureQueriesContext(connection) as queries:
        noop.enqueue()

    assert ["INSERT" in queries[0]["sql"], "pg_notify" in queries[1]["sql"]] == [True, True]
    assert len(queries) == 2


@pytest.mark.usefixtures("_session")
def test_who_wraps_what_is_executed_sees_both() -> None:
    seen: list[str] = []

    def wrapper(execute: Any, sql: str, *rest: Any) -> Any:
        seen.append(sql.split()[0])
        return execute(sql, *rest)

    with connection.execute_wrapper(wrapper):
        noop.enqueue()

    assert seen == ["INSERT", "SELECT"]


@pytest.mark.usefixtures("_session")
def test_who_replaces_what_cursors_do_sees_both(
    pipelines: list[Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = executed(monkeypatch)
    noop.enqueue()

    assert (len(pipelines), seen) == (1, [("INSERT", 16), ("SELECT", 1)])


@pytest.mark.usefixtures("_session")
def test_one_of_many_is_stored_and_told_of_as_any_of_a_burst(
    pipelines: list[Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgresql, "_sent", {})
    monkeypatch.setattr(postgresql, "BURST_SECONDS", 3600.0)
    monkeypatch.setattr(postgresql, "AGAIN_SECONDS", 1800.0)

    with Heard() as heard:
        for _ in range(5):
            noop.enqueue()
        assert heard.all() == ["default", "default", "again default"]
    assert (len(pipelines), Job.objects.count()) == (5, prepared.MANY + 5)
