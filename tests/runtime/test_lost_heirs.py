"""Nobody is left behind who was claimed with a concurrency key, whatever becomes of the answer."""

from collections.abc import Callable
from threading import Event, Thread
from typing import Any

import pytest
from django.db import OperationalError, connection

from forge_jobs import clock
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, State
from forge_jobs.models.job_manager import JobManager
from forge_jobs.runtime.claiming import claims
from forge_jobs.runtime.claiming.heirs import Heirs
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.finalizer import Finalizer
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.rows import claim
from tests.running import PATIENCE
from tests.runtime.inheriting import end, held, inherited

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "postgresql", reason="SQLite has no heirs"),
]


def test_what_was_claimed_when_the_answer_got_lost_is_given_back_and_looked_for(
    idle: Engine,
    finalizer: Finalizer,
    entrusted: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs = held(idle)
    asked, answers = JobManager.finalize_and_promote, iter([OperationalError("it is gone")])

    def losing_the_first_answer(*args: Any, **options: Any) -> Any:
        answer = asked(*args, **options)
        if error := next(answers, None):
            raise error
        return answer

    monkeypatch.setattr(JobManager, "finalize_and_promote", losing_the_first_answer)
    end(finalizer, jobs)

    assert inherited(idle) == 0
    (ready,) = Job.objects.ready()
    assert (ready.attempt, ready.started_at, ready.concurrency_slot) == (0, None, 1)
    assert entrusted == ["app.serve of default"]
    assert Job.objects.filter(state=State.SUCCEEDED).count() == 1


def test_so_is_what_a_statement_claimed_that_was_still_at_work_when_its_answer_got_lost(
    idle: Engine,
    finalizer: Finalizer,
    entrusted: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    jobs, asked = held(idle), JobManager.finalize_and_promote
    at_work: list[Callable[[], object]] = []

    def waiting_for_a_lock(*args: Any, **options: Any) -> Any:
        if not at_work:
            at_work.append(lambda: asked(*args, **options))
            raise OperationalError("the session is gone")
        at_work[0]()
        return asked(*args, **options)

    monkeypatch.setattr(JobManager, "finalize_and_promote", waiting_for_a_lock)
    end(finalizer, jobs)

    assert inherited(idle) == 0
    assert Job.objects.ready().get().attempt == 0
    assert entrusted == ["app.serve of default"]


def test_but_not_what_the_fetcher_has_claimed_at_the_same_time(
    idle: Engine, finalizer: Finalizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = held(idle)
    noop.enqueue()
    asked, answers = JobManager.finalize_and_promote, iter([OperationalError("it is gone")])

    def losing_the_first_answer(*args: Any, **options: Any) -> Any:
        if error := next(answers, None):
            claim(idle.process, kinds=["app.noop"])
            raise error
        return asked(*args, **options)

    monkeypatch.setattr(JobManager, "finalize_and_promote", losing_the_first_answer)
    with clock.installed(clock.ManualClock(NOON)):
        end(finalizer, jobs)

    assert Job.objects.get(kind="app.noop").state == State.RUNNING


def test_what_was_claimed_when_the_process_came_to_its_end_is_left_to_others(
    idle: Engine, finalizer: Finalizer, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, asked = held(idle), JobManager.finalize_and_promote

    def stopped_meanwhile(*args: Any, **options: Any) -> Any:
        answer = asked(*args, **options)
        idle.fetcher.stop()
        return answer

    monkeypatch.setattr(JobManager, "finalize_and_promote", stopped_meanwhile)
    end(finalizer, jobs)

    assert inherited(idle) == 0
    (ready,) = Job.objects.ready()
    assert (ready.attempt, ready.concurrency_slot) == (0, 1)
    assert told == ["default"]


def test_the_fetcher_goes_on_while_the_finalizer_waits_for_a_row_that_somebody_has_locked(
    idle: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claims, "PATIENCE", 0.0)
    noop.enqueue_many([{}] * 2)
    claim(idle.process, limit=1)  # of which the answer got lost
    idle.fetcher.rounds._is_unsure = True
    is_waiting, may_end = Event(), Event()

    def wait_for_a_lock() -> None:
        with idle.claims.inheriting:
            is_waiting.set()
            assert may_end.wait(PATIENCE)

    finalizing = Thread(target=wait_for_a_lock)
    finalizing.start()
    assert is_waiting.wait(PATIENCE)
    idle.fetcher.lanes.look_everywhere()
    idle.fetcher.rounds.fill()
    assert len(idle.buffer) == 1

    may_end.set()
    finalizing.join(PATIENCE)
    idle.fetcher.lanes.look_everywhere()
    idle.fetcher.rounds.fill()
    assert inherited(idle) == 2


def test_nobody_gives_them_back_before_it_is_known_that_they_are_ours(
    idle: Engine, finalizer: Finalizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs, take = held(idle), Heirs._take
    others: list[Thread] = []
    has_begun = Event()

    def give_back() -> None:
        has_begun.set()
        idle.claims.release_unheld()
        connection.close()

    def taking_its_time(heirs: Heirs, claimed: list[ClaimedJob]) -> None:
        others.append(Thread(target=give_back))
        others[0].start()
        assert has_begun.wait(PATIENCE)
        others[0].join(0.1)
        take(heirs, claimed)

    monkeypatch.setattr(Heirs, "_take", taking_its_time)
    end(finalizer, jobs)
    others[0].join(PATIENCE)

    assert not others[0].is_alive()
    assert inherited(idle) == 1
