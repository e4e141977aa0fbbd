"""A part of the process breaks, or the database will not take what it is given."""

import time
from collections.abc import Sequence
from threading import Event, Thread
from typing import Any

import pytest
from django.db import DataError, connection, transaction

from forge_jobs import job
from forge_jobs.db.rows import Transition
from forge_jobs.models import Job, Process, State
from forge_jobs.models.job_manager import JobManager
from forge_jobs.runtime.heartbeat import Heartbeat
from forge_jobs.services.reaper import Reaper
from tests.app.jobs import noop
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_thread_that_fails_stops_the_process_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Heartbeat, **kwargs: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(Heartbeat, "run_once", fail)
    subject = engine()

    assert subject.run() == "forge_jobs-pulse failed"
    assert subject.failure == "forge_jobs-pulse failed"
    assert not Process.objects.exists()


def test_a_service_that_fails_holds_up_neither_the_others_nor_the_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(self: Reaper, **kwargs: object) -> int:
        raise ZeroDivisionError

    monkeypatch.setattr(Reaper, "run_once", fail)
    noop.using(delay=0.2).enqueue()

    with running(engine()):
        eventually(lambda: Job.objects.get().state == State.SUCCEEDED)


def test_an_outcome_that_can_not_be_stored_does_not_hold_up_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    finalize = JobManager.finalize

    def refuse(self: JobManager, transitions: Sequence[Transition], **kwargs: Any) -> Any:
        if any(transition.result == '"poison"' for transition in transitions):
            raise DataError("will not take that")
        return finalize(self, transitions, **kwargs)

    monkeypatch.setattr(JobManager, "finalize", refuse)

    @job(kind="tests.poison")
    def poison() -> str:
        return "poison"

    noop.enqueue_many([{}] * 20)
    poisonous = poison.enqueue()
    noop.enqueue_many([{}] * 20)
    drain()

    poisonous.refresh_from_db()
    assert Job.objects.filter(state=State.SUCCEEDED).count() == 40
    assert poisonous.state == State.RETRYING
    assert "will not take that" in poisonous.last_error


def test_a_write_that_is_slow_at_a_stop_is_waited_for() -> None:
    started, finish = Event(), Event()

    @job(kind="tests.subject")
    def subject() -> None:
        started.set()
        finish.wait(PATIENCE)

    stored = subject.enqueue()
    stopping = engine(threads=1, shutdown_timeout=PATIENCE)
    with running(stopping):
        assert started.wait(PATIENCE)
        with transaction.atomic():
            if connection.vendor == "postgresql":
                Job.objects.select_for_update().get(pk=stored.pk)
            finish.set()
            stopping.lifecycle.request_stop("SIGTERM")
            eventually(lambda: not any(worker.is_alive() for worker in stopping.workers.active))
            assert stopping.finalizer.is_alive()

    stored.refresh_from_db()
    assert (stored.state, stopping.failure) == (State.SUCCEEDED, "")


def test_a_claim_that_waited_behind_the_last_write_is_waited_for() -> None:
    class Late(Thread):
        """A fetcher that gets its turn while it is waited for."""

        turn = Event()

        def run(self) -> None:
            self.turn.wait(PATIENCE)

        def join(self, timeout: float | None = None) -> None:
            self.turn.set()
            super().join(timeout)

    stopping = engine()
    late: Any = Late(daemon=True)
    late.start()
    stopping.finalizer._fetcher = late
    stopping.finalizer.sign_off()

    assert stopping.failure == ""
    assert not Process.objects.exists()


def test_jobs_that_wait_behind_long_ones_are_given_back() -> None:
    release = Event()

    @job(kind="tests.long")
    def long() -> None:
        release.wait(PATIENCE)

    hoarder = engine(name="hoarder", threads=1)
    with running(hoarder):
        noop.enqueue_many([{}] * 3_000)
        eventually(lambda: not Job.objects.unfinished().exists())
        with transaction.atomic():
            long.using(priority=100).enqueue()
            short = noop.enqueue_many([{}] * 100)
        eventually(lambda: Job.objects.filter(kind="tests.long", state=State.RUNNING).exists())
        drained = engine(name="helper", threads=1)
        with running(drained):
            eventually(
                lambda: Job.objects.filter(pk__in=short.ids, state=State.SUCCEEDED).count() == 100
            )
        release.set()


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite has no server to lose")
def test_connections_cut_under_load_lose_nothing() -> None:
    succeeded = Job.objects.filter(state=State.SUCCEEDED)
    noop.enqueue_many([{}] * 3_000)
    with running(engine(threads=4)):
        for least in range(100, 1_100, 200):
            eventually(lambda least=least: succeeded.count() > least)  # type: ignore[misc] # a lambda's default
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            noop.enqueue_many([{}] * 200)
        eventually(lambda: not Job.objects.unfinished().exists())

    assert succeeded.count() == 4_000


@pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite takes no lock on a table")
def test_a_claim_that_hangs_on_a_lock_is_broken_off_at_a_stop() -> None:
    subject = engine()
    thread = Thread(target=subject.run)
    with transaction.atomic(), connection.cursor() as cursor:
        thread.start()
        eventually(lambda: subject.fetcher.is_alive())
        cursor.execute("LOCK TABLE forge_jobs_job IN ACCESS EXCLUSIVE MODE")
        eventually(lambda: time.monotonic() - subject.fetcher.came_round_at > 0.5)
        subject.lifecycle.request_stop("the test wants it")
        eventually(lambda: not subject.fetcher.is_alive())
    thread.join(PATIENCE)

    assert not thread.is_alive()
    assert not subject.failure
    assert not Process.objects.exists()
