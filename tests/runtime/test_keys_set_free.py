"""Whoever held a concurrency key ends, in whatever way: the next is ready, and entrusted to us."""

import math
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import OperationalError, connection

from forge_jobs import job, wake
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.outcomes import Released
from forge_jobs.models import Job, State
from forge_jobs.runtime.claiming.lane import Lane
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.finalizer import Finalizer
from forge_jobs.runtime.settlements import Finished
from forge_jobs.signals import claim_lost
from tests.app.jobs import noop, serve
from tests.conftest import NOON
from tests.rows import claim, stored_job, transition
from tests.running import drain, ended

pytestmark = pytest.mark.django_db(transaction=True)


def claimed_by(resting: Engine, *kinds: str) -> list[ClaimedJob]:
    return claim(resting.process, kinds=list(kinds))


@pytest.mark.parametrize("how", ["while others wait", "forgotten", "stored by its worker"])
def test_the_next_is_entrusted_to_this_process(
    resting: Engine, how: str, finalizer: Finalizer, entrusted: list[str], told: list[str]
) -> None:
    serve.enqueue_many([{"customer": 1}] * 2)
    told.clear()
    (held,) = claimed_by(resting, "app.serve")
    finished = ended(held, is_forgotten=how == "forgotten")
    if how == "stored by its worker":
        Job.objects.finalize([finished.transition], process=resting.process)
        finished = finished._replace(is_stored=True)
    finalizer.finalize([finished])

    assert (entrusted, told) == (["app.serve of default"], [])
    assert Job.objects.ready().count() == 1


@pytest.mark.parametrize("kind", ["elsewhere.only", "app.limited"])
def test_of_what_cannot_run_here_everybody_is_told(
    resting: Engine, kind: str, finalizer: Finalizer, entrusted: list[str], told: list[str]
) -> None:
    serve.enqueue(customer=1)
    stored_job(state=State.BLOCKED, kind=kind, concurrency_key="customer 1")
    (held,) = claimed_by(resting, "app.serve")
    resting.claims.add(held._replace(kind="app.limited"))
    told.clear()
    finalizer.finalize([ended(held)])

    assert (entrusted, told) == ([], ["default"])


@pytest.mark.parametrize("how", ["stops", "is quiet"])
def test_what_an_ending_process_was_entrusted_with_is_left_to_others(
    resting: Engine, how: str, finalizer: Finalizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(wake, "send_elsewhere", told.append)
    fetcher = resting.fetcher
    fetcher.see_to("default", "app.serve", jobs=2)
    fetcher.stop()
    if how == "stops":
        fetcher.work()
    else:
        resting.lifecycle.be_quiet()
        fetcher.run_once()

    assert told == ["default"]


def test_nobody_is_told_of_jobs_that_there_is_room_for_though_a_claim_missed_them(
    resting: Engine, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "send_elsewhere", told.append)
    noop.enqueue_many([{}] * 2)
    told.clear()
    fetcher = resting.fetcher
    lane = lane_that_has_claimed(resting)
    (first,) = lane.claim(1, kinds=["app.noop"], process=resting.process)
    Job.objects.filter(pk=first.id).release(now=NOON)
    lane._front_is_due_at, lane._front_took = math.inf, 1.0  # so that it looks behind the first
    lane.entrust(2)
    fetcher.run_once()
    assert Job.objects.ready().get().pk == first.id

    fetcher.poll_seconds = 0.0
    fetcher.run_once()
    assert Job.objects.filter(state=State.RUNNING).count() == 2
    assert told == []


def lane_that_has_claimed(subject: Engine) -> Lane:
    """The one of most kinds, while no other may hold work."""
    for lane in subject.fetcher.lanes:
        lane.may_hold_work = False
    return next(lane for lane in subject.fetcher.lanes if type(lane) is Lane)


def test_others_are_told_of_what_has_to_wait_here_though_there_is_room_for_other_jobs(
    resting: Engine, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wake, "send_elsewhere", told.append)
    noop.enqueue_many([{}] * 2)
    told.clear()
    waits = next(lane for lane in resting.fetcher.lanes if type(lane) is not Lane)
    waits.entrust(1)
    waits.opens_at = math.inf
    resting.fetcher.poll_seconds = 0.0
    resting.fetcher.run_once()

    assert told == ["default"]
    assert Job.objects.filter(state=State.RUNNING).count() == 2


def test_what_fails_after_the_outcomes_are_written_does_not_write_them_again(
    resting: Engine, finalizer: Finalizer, entrusted: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    serve.enqueue_many([{"customer": 1}] * 2)
    noop.using(concurrency_key="lonely").enqueue()
    blocked, calls = Job.objects.blocked, []

    def failing_once(manager: object) -> Any:
        calls.append(1)
        if len(calls) == 1:
            raise OperationalError("the connection is gone")
        return blocked()

    monkeypatch.setattr(type(Job.objects), "blocked", failing_once)
    finalizer.finalize([ended(one) for one in claimed_by(resting, "app.serve", "app.noop")])

    assert len(calls) == 2
    assert entrusted == ["app.serve of default"]
    assert Job.objects.filter(state=State.SUCCEEDED).count() == 2


def test_of_a_group_that_is_refused_the_good_outcomes_are_not_taken_for_lost(
    resting: Engine,
    finalizer: Finalizer,
) -> None:
    noop.enqueue()
    serve.enqueue(customer=1)
    good, bad = sorted(claimed_by(resting, "app.serve", "app.noop"), key=lambda one: one.kind)
    refused = '"\\u0000"' if connection.vendor == "postgresql" else "no JSON"
    lost: list[ClaimedJob] = []

    def note(job: ClaimedJob, **kwargs: Any) -> None:
        lost.append(job)

    claim_lost.connect(note)
    try:
        finalizer.finalize([ended(good, is_forgotten=True), ended(bad, result=refused)])
    finally:
        claim_lost.disconnect(note)

    assert lost == []
    assert list(Job.objects.values_list("kind", "state")) == [("app.serve", State.RETRYING)]


def test_the_key_of_a_job_that_was_cancelled_and_given_back_is_passed_on(
    resting: Engine, finalizer: Finalizer, entrusted: list[str]
) -> None:
    serve.enqueue_many([{"customer": 1}] * 2)
    (stopped,) = claimed_by(resting, "app.serve")
    Job.objects.filter(pk=stopped.id).cancel("no more", now=NOON)
    given_back = transition(stopped, State.READY, attempt=0)
    finalizer.finalize([Finished(stopped, given_back, Released(), 0.0)])

    assert entrusted == ["app.serve of default"]
    (tally,) = resting.recorder.take().tallies.values()
    assert dict(tally.counts) == {"cancelled": 1}


def test_all_slots_are_filled_whichever_way_they_were_set_free(
    resting: Engine, finalizer: Finalizer
) -> None:
    @job(kind="tests.subject", concurrency_key="both", concurrency_limit=2)
    def subject() -> None:
        pass

    subject.enqueue_many([{}] * 5)
    stored, stopped = claimed_by(resting, "tests.subject")
    Job.objects.filter(pk=stopped.id).cancel("no more", now=NOON)
    finished = ended(stored)
    Job.objects.finalize([finished.transition], process=resting.process)
    given_back = transition(stopped, State.READY, attempt=0)
    finalizer.finalize(
        [finished._replace(is_stored=True), Finished(stopped, given_back, Released(), 0.1)]
    )

    assert sorted(Job.objects.ready().values_list("concurrency_slot", flat=True)) == [1, 2]


@pytest.fixture
def taken_for_empty() -> Iterator[None]:
    """A table of which the planner believes that it is empty, as it was when it was vacuumed."""
    statistics("VACUUM (ANALYZE, TRUNCATE)")
    yield
    statistics("ANALYZE")


def statistics(verb: str) -> None:
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute(f"{verb} forge_jobs_job")


@pytest.mark.usefixtures("taken_for_empty")
@pytest.mark.parametrize("threads", [1, 4])
def test_one_at_a_time_is_made_ready_however_small_the_table_seems(threads: int) -> None:
    serve.enqueue_many([{"customer": number % 2, "place": number} for number in range(40)])
    drain(threads=threads)

    assert Job.objects.filter(state=State.SUCCEEDED, attempt=1).count() == 40


@pytest.mark.usefixtures("taken_for_empty")
def test_one_at_a_time_is_promoted_however_small_the_table_seems() -> None:
    for _ in range(5):
        stored_job(state=State.BLOCKED, concurrency_key="k")
    Job.objects.promote({"k"})

    assert Job.objects.ready().count() == 1
