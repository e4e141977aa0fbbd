"""Why is it not running? One sentence for each reason, as the database gives it."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from forge_jobs import job as declare
from forge_jobs.dashboard import diagnosis, facts
from forge_jobs.dashboard.diagnosis import Diagnosis, Facts, Server, diagnose
from forge_jobs.dashboard.facts import read_facts
from forge_jobs.models import Job, Process, ProcessState, Queue, RateLimitBudget, State
from tests.conftest import NOON
from tests.factories import process_named
from tests.plans import walks
from tests.rows import claim, finished_job, stored_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")


def why(job: Job) -> Diagnosis | None:
    return diagnose(read_facts(job, now=NOON))


def text_of(job: Job) -> str:
    found = why(job)
    assert found is not None
    return found.text


def server(name: str = "worker", **columns: Any) -> Process:
    """A live process that serves the default queue and knows one kind."""
    usual = {"queues": ["default"], "kinds": ["app.noop"], "threads": 4}
    return process_named(name, **usual | columns)


@pytest.fixture
def live() -> Process:
    return server()


def queue(**columns: Any) -> Queue:
    row: Queue = Queue.objects.create(name="default", **columns)
    return row


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.DEAD, State.CANCELLED])
def test_nothing_is_said_of_a_job_that_is_over(state: State) -> None:
    assert why(finished_job(state)) is None


def test_a_scheduled_job_waits_for_its_time() -> None:
    job = stored_job(state=State.SCHEDULED, run_at=NOON + MINUTE)

    assert why(job) == Diagnosis("It is scheduled for", NOON + MINUTE)


@pytest.mark.parametrize(("limit", "of"), [(5, "5"), (None, "any number")])
def test_a_retrying_job_says_which_attempt_failed(limit: int | None, of: str) -> None:
    columns = {"run_at": NOON + MINUTE, "attempt": 2, "max_attempts": limit}
    job = stored_job(state=State.RETRYING, **columns)

    told = f"Attempt 2 of {of} failed; it is tried again at"
    assert why(job) == Diagnosis(told, NOON + MINUTE)


def test_a_job_whose_run_was_interrupted_has_not_failed() -> None:
    job = stored_job(state=State.RETRYING, attempt=0, run_at=NOON + MINUTE)

    assert text_of(job).startswith("Its run was interrupted")


def test_a_job_that_is_due_waits_for_the_stager(live: Process) -> None:
    job = stored_job(state=State.SCHEDULED, run_at=NOON - MINUTE)

    told = "It is due, and becomes ready at any moment; due since"
    assert why(job) == Diagnosis(told, NOON - MINUTE)


def test_a_job_that_is_due_may_have_nobody_to_stage_it() -> None:
    job = stored_job(state=State.RETRYING, run_at=NOON - MINUTE)

    told = "It is due, but no process lives that would let it run; due since"
    assert why(job) == Diagnosis(told, NOON - MINUTE)


def test_a_blocked_job_says_who_holds_its_key() -> None:
    columns = {"concurrency_key": "customer 7", "concurrency_limit": 2}
    holders = [stored_job(concurrency_slot=slot, **columns) for slot in (1, 2)]
    job = stored_job(state=State.BLOCKED, **columns)

    told = "It waits for the concurrency key “customer 7”, which is held by jobs"
    assert why(job) == Diagnosis(told, jobs=[holder.pk for holder in holders])
    holders[0].delete()
    told = "It waits for the concurrency key “customer 7”, which is held by job"
    assert why(job) == Diagnosis(told, jobs=[holders[1].pk])


def test_a_blocked_job_may_find_its_key_free() -> None:
    job = stored_job(state=State.BLOCKED)

    assert text_of(job).startswith("Its concurrency key “busy” is free;")


def test_a_paused_queue_keeps_its_jobs(live: Process) -> None:
    queue(is_paused=True, throttled_until=NOON + MINUTE)

    assert text_of(stored_job()) == "Queue default is paused."


def test_a_queue_without_workers_keeps_its_jobs(live: Process) -> None:
    queue(max_workers=0)

    assert text_of(stored_job()) == "Queue default may have no workers: its max_workers is 0."


def test_a_queue_that_cools_down_says_until_when(live: Process) -> None:
    queue(throttled_until=NOON + MINUTE)

    told = "Queue default cools down after a throttle, until"
    assert why(stored_job()) == Diagnosis(told, NOON + MINUTE)


def test_a_cooling_that_is_over_keeps_nothing(live: Process) -> None:
    queue(throttled_until=NOON)

    assert text_of(stored_job()) == "Nothing keeps it: it is the next of its queue."


def test_without_any_process_nothing_runs() -> None:
    process_named("lost", heartbeat_at=NOON - 10 * MINUTE, queues=["default"])

    told = "No process is live: start one with manage.py runjobs."
    assert text_of(stored_job()) == told


def test_somebody_must_serve_the_queue() -> None:
    server(queues=["other"])

    assert text_of(stored_job()) == "No live process serves queue default."


def test_processes_that_make_way_claim_nothing() -> None:
    server("a", state=ProcessState.QUIET)
    server("b", state=ProcessState.STOPPING)

    told = "The processes that serve queue default are quiet or stopping: a, b."
    assert text_of(stored_job()) == told


def test_somebody_must_know_the_kind(live: Process) -> None:
    server("knows", kinds=["app.new"], queues=["other"])

    told = "No live process of queue default knows the kind app.new."
    assert text_of(stored_job(kind="app.new")) == told


def test_a_process_in_trouble_says_so() -> None:
    server(trouble="The disk is full.")

    assert text_of(stored_job()) == "worker: The disk is full."


def test_max_workers_may_all_be_busy(live: Process) -> None:
    queue(max_workers=3)
    for _ in range(4):
        stored_job()
    claim(live, limit=3)

    told = "Queue default has all of its max_workers: 3 of 3 are busy."
    assert text_of(Job.objects.ready().get()) == told


def test_an_empty_budget_says_until_when(live: Process) -> None:
    queue(budget="api")
    budget = {"capacity": 5, "refill_per_second": 0.5, "tokens": 0}
    RateLimitBudget.objects.create(name="api", **budget)

    found = why(stored_job())
    assert found is not None
    assert found.text == "Budget api is empty until"
    assert found.moment is not None
    assert SECOND < found.moment - NOON <= 2 * SECOND


def test_an_unknown_budget_is_told(live: Process) -> None:
    queue(budget="nowhere")

    assert text_of(stored_job()) == "Queue default spends budget nowhere, which is unknown."


def test_a_kind_may_run_as_often_as_each_process_lets_it(live: Process) -> None:
    declare(kind="app.noop", max_concurrent_per_process=2)(lambda: None)
    for _ in range(3):
        stored_job()
    claim(live, limit=2)

    told = "Each process runs as many jobs of kind app.noop as it may at once: 2."
    assert text_of(Job.objects.ready().get()) == told


def test_all_workers_may_be_busy() -> None:
    server("a", running=4)
    server("b", threads=2, running=2)
    server("elsewhere", queues=["other"])
    stored_job(priority=1)

    told = "All 6 workers that could run it are busy; 1 job is before it."
    assert text_of(stored_job()) == told


def test_else_it_is_its_turn_that_it_waits_for(live: Process) -> None:
    for columns in (
        {"priority": 1},
        {"run_at": NOON - SECOND},
        {},
        {"queue": "other", "priority": 9},
        {"run_at": NOON + SECOND},
    ):
        stored_job(**columns)
    job = stored_job(run_at=NOON)

    assert text_of(job) == "Nothing keeps it but its turn: 3 jobs are before it."


def test_of_many_jobs_before_it_the_count_stops(
    live: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnosis, "MANY", 2)
    monkeypatch.setattr(facts, "MANY", 2)
    for _ in range(5):
        stored_job()

    told = "Nothing keeps it but its turn: more than 2 jobs are before it."
    assert text_of(stored_job()) == told


def running(process: Process, **columns: Any) -> Job:
    usual = {"state": State.RUNNING, "process": process, "started_at": NOON - SECOND}
    return stored_job(**usual | columns)


def test_a_running_job_says_where(live: Process) -> None:
    assert why(running(live)) == Diagnosis("It runs in worker, since", NOON - SECOND)


def test_a_running_job_of_a_silent_process_may_run_again() -> None:
    job = running(server(heartbeat_at=NOON - 10 * MINUTE))

    found = why(job)
    assert found is not None
    assert "which is silent" in found.text
    assert found.moment == NOON - 10 * MINUTE


def test_a_job_that_was_asked_to_stop_says_so(live: Process) -> None:
    job = running(live, cancel_requested_at=NOON)

    assert text_of(job) == "It was asked to stop, and its handler has not done so yet; asked at"
    job = running(live, cancel_requested_at=NOON, is_to_be_killed=True)
    assert why(job) == Diagnosis("It is being killed, since", NOON)


def test_a_running_job_whose_process_is_forgotten_says_so(live: Process) -> None:
    job = running(live)
    live.delete()

    assert text_of(job) == "It runs in a process that has been forgotten, since"


def test_one_worker_alone_is_spoken_of_as_one() -> None:
    lone = Server(name="a", is_claiming=True, knows_kind=True, threads=1, running=1)
    state = Facts(state=State.READY, queue="q", kind="k", run_at=NOON, now=NOON, servers=[lone])

    found = diagnose(state)
    assert found is not None
    assert found.text == "The only worker that could run it is busy; it is the next of its queue."


READERS: dict[str, Callable[[], Job]] = {
    "ready": lambda: stored_job(),
    "blocked": lambda: stored_job(state=State.BLOCKED),
    "scheduled": lambda: stored_job(state=State.SCHEDULED),
}


@on_sqlite
@pytest.mark.parametrize("name", READERS)
def test_no_fact_is_read_from_the_whole_table(name: str, live: Process) -> None:
    declare(kind="app.noop", max_concurrent_per_process=2)(lambda: None)
    queue(max_workers=3, budget="api")
    job = READERS[name]()

    assert walks(lambda: read_facts(job, now=NOON)) == []
