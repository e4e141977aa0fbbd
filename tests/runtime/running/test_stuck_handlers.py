"""Handlers that do not react to their timeout: given up, told of, replaced."""

import asyncio
from collections.abc import Iterator
from threading import Event

import pytest

from forge_jobs import job
from forge_jobs.models import Job, State
from forge_jobs.runtime.running import run
from tests.app.jobs import noop
from tests.running import PATIENCE, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "GRACE_SECONDS", 0.2)


@pytest.fixture
def may_go() -> Iterator[Event]:
    """What handlers wait for in foreign code, where no exception can be raised."""
    may_go = Event()
    yield may_go
    may_go.set()


def is_finished(job: Job) -> bool:
    job.refresh_from_db()
    return job.state in (State.SUCCEEDED, State.DEAD)


def test_a_handler_stuck_in_foreign_code_is_given_up_and_its_worker_replaced(
    may_go: Event,
) -> None:
    @job(kind="tests.subject", timeout=0.2, max_attempts=1)
    def subject() -> None:
        may_go.wait(PATIENCE)

    stuck = subject.enqueue()
    with running(engine(threads=2)) as working:
        eventually(lambda: is_finished(stuck))
        assert working.workers.stuck == 1
        following = noop.enqueue_many([{}] * 10)
        eventually(lambda: all(map(is_finished, following)))
        eventually(lambda: len(working.workers.active) == 2)
        may_go.set()
        eventually(lambda: working.workers.stuck == 0)

    assert stuck.state == State.DEAD
    assert "Timed out after 0.2 s and did not react" in stuck.last_error
    assert "may_go.wait" in stuck.errors[0]["traceback"]


def test_a_handler_that_is_killed_in_foreign_code_is_given_up_and_its_worker_replaced(
    may_go: Event,
) -> None:
    @job(kind="tests.subject")
    def subject() -> None:
        may_go.wait(PATIENCE)

    killed = subject.enqueue()
    with running(engine(threads=2)) as working:  # with one, the process would make way
        eventually(lambda: bool(working.workers.runs()))
        killed.kill("stuck", by="ada")
        eventually(lambda: Job.objects.get(pk=killed.pk).state == State.CANCELLED)
        assert working.workers.stuck == 1
        eventually(lambda: [one.is_alive() for one in working.workers.active] == [True] * 2)
        may_go.set()
        eventually(lambda: working.workers.stuck == 0)

    killed.refresh_from_db()
    assert (killed.cancel_reason, killed.cancelled_by) == ("stuck", "ada")


def test_what_a_thread_says_after_it_was_given_up_is_not_heard(may_go: Event) -> None:
    @job(kind="tests.subject", timeout=0.1, max_attempts=1)
    def subject() -> str:
        while not may_go.is_set():
            try:
                while not may_go.is_set():
                    pass
            except BaseException:  # noqa: S112 (as stubborn as can be)
                continue
        return "late"

    stored = subject.enqueue()
    with running(engine()) as working:
        eventually(lambda: is_finished(stored))
        may_go.set()
        eventually(lambda: working.workers.stuck == 0)

    stored.refresh_from_db()
    assert (stored.state, stored.result) == (State.DEAD, None)


def test_a_coroutine_that_blocks_its_loop_is_given_up_too(may_go: Event) -> None:
    @job(kind="tests.subject", timeout=0.1, max_attempts=1)
    async def subject() -> None:
        may_go.wait(PATIENCE)
        await asyncio.sleep(0)

    stored = subject.enqueue()
    with running(engine()):
        eventually(lambda: is_finished(stored))
        may_go.set()

    stored.refresh_from_db()
    assert stored.state == State.DEAD


def test_a_process_with_as_many_stuck_threads_as_workers_makes_way_for_another(
    may_go: Event,
) -> None:
    @job(kind="tests.subject", timeout=0.2, max_attempts=1)
    def subject() -> None:
        may_go.wait(PATIENCE)

    subject.enqueue_many([{}] * 2)
    stuck = engine(threads=2)

    assert stuck.run() == "2 threads are stuck"
    assert stuck.failure
    assert not Job.objects.unfinished().exists()
