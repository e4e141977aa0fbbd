"""Concurrency keys: who may be ready, who waits, and who follows, the oldest first."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, OperationalError, transaction

from forge_jobs import enqueue, enqueue_many, job
from forge_jobs.enqueueing.enqueue import NewJob
from forge_jobs.models import Job, Process, State, promotion
from forge_jobs.services.promoter import Promoter
from forge_jobs.services.reaper import reclaim
from tests.app.jobs import noop, serve
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, rolled_back, stored_job, transition

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


def states() -> list[str]:
    return list(Job.objects.order_by("pk").values_list("state", flat=True))


@pytest.fixture
def process() -> Process:
    return process_named("here")


def test_the_first_of_a_key_is_ready_and_the_others_are_blocked() -> None:
    for customer in (1, 1, 2, 1):
        serve.enqueue(customer=customer)

    assert states() == [State.READY, State.BLOCKED, State.READY, State.BLOCKED]


def test_a_bulk_is_promoted_as_well() -> None:
    enqueue_many(NewJob(serve, {"customer": number % 3}) for number in range(9))

    assert states() == [State.READY] * 3 + [State.BLOCKED] * 6


def test_a_handler_may_allow_more_than_one() -> None:
    @job(kind="tests.subject", concurrency_key="both", concurrency_limit=3)
    def subject() -> None:
        pass

    subject.enqueue_many([{}] * 5)

    assert states() == [State.READY] * 3 + [State.BLOCKED] * 2
    assert sorted(Job.objects.ready().values_list("concurrency_slot", flat=True)) == [1, 2, 3]


def test_the_key_may_be_given_at_enqueue() -> None:
    enqueue(noop, concurrency_key="mine")
    enqueue("app.effect", {"number": 1}, concurrency_key="mine")

    assert states() == [State.READY, State.BLOCKED]


def test_a_promotion_that_fails_after_the_commit_harms_nobody(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def promote(keys: object) -> None:
        raise OperationalError("gone")

    monkeypatch.setattr(promotion, "promote", promote)
    with transaction.atomic():
        serve.enqueue(customer=1)

    assert states() == [State.BLOCKED]


def test_nothing_is_promoted_before_its_transaction_commits() -> None:
    with transaction.atomic():
        serve.enqueue(customer=1)
        assert states() == [State.BLOCKED]

    assert states() == [State.READY]


def test_the_database_itself_refuses_two_holders_of_one_slot() -> None:
    serve.enqueue(customer=1)
    serve.enqueue(customer=1)
    with pytest.raises(IntegrityError):
        Job.objects.update(state=State.READY, concurrency_slot=1)


def finish(process: Process, state: State = State.SUCCEEDED, **columns: object) -> Job:
    """Claim and finalize the one job that is ready, and pass its key on."""
    (claimed,) = claim(process, kinds=["app.serve"])
    Job.objects.finalize([transition(claimed, state, **columns)], process=process)
    Job.objects.promote({claimed.concurrency_key or ""})
    finished: Job = Job.objects.get(pk=claimed.id)
    return finished


@pytest.mark.parametrize("state", [State.SUCCEEDED, State.DEAD, State.CANCELLED, State.RETRYING])
def test_whoever_leaves_passes_the_key_to_the_oldest(process: Process, state: State) -> None:
    serve.enqueue_many([{"customer": 1}] * 3)
    finish(process, state, finished_at=None if state is State.RETRYING else NOON)

    assert states() == [state, State.READY, State.BLOCKED]


def test_a_job_that_is_given_back_keeps_its_key(process: Process) -> None:
    serve.enqueue_many([{"customer": 1}] * 2)
    finish(process, State.READY, attempt=0)

    assert states() == [State.READY, State.BLOCKED]


def test_a_job_that_becomes_due_waits_for_its_key() -> None:
    serve.using(delay=60).enqueue(customer=1)
    serve.enqueue(customer=1)
    Job.objects.stage(now=NOON + timedelta(days=10_000), limit=10)

    assert states() == [State.BLOCKED, State.READY]


def test_a_job_that_becomes_due_takes_its_key_if_that_is_free() -> None:
    serve.using(delay=60).enqueue(customer=1)
    Job.objects.stage(now=NOON + timedelta(days=10_000), limit=10)

    assert states() == [State.READY]


def test_a_requeued_job_waits_for_its_key(process: Process) -> None:
    serve.enqueue_many([{"customer": 1}] * 2)
    first = finish(process, finished_at=NOON)
    Job.objects.filter(pk=first.pk).requeue(now=NOON)

    assert states() == [State.BLOCKED, State.READY]


def test_a_holder_that_is_cancelled_before_it_runs_passes_its_key_on() -> None:
    serve.enqueue_many([{"customer": 1}] * 3)
    Job.objects.ready().cancel("not needed", now=NOON)

    assert states() == [State.CANCELLED, State.READY, State.BLOCKED]


def test_jobs_that_wait_for_a_key_are_cancelled_without_moving_it() -> None:
    serve.enqueue_many([{"customer": 1}] * 3)
    Job.objects.blocked().cancel("not needed", now=NOON)

    assert states() == [State.READY, State.CANCELLED, State.CANCELLED]


def test_all_of_a_key_can_be_cancelled_at_once() -> None:
    serve.enqueue_many([{"customer": 1}] * 1_200)

    assert Job.objects.cancel("not needed", now=NOON) == 1_200
    assert set(states()) == {State.CANCELLED}


def test_a_requeued_job_of_a_busy_key_runs_after_those_that_wait(process: Process) -> None:
    serve.enqueue_many([{"customer": 1}] * 3)
    dead = finish(process, State.DEAD, finished_at=NOON)
    Job.objects.filter(pk=dead.pk).requeue(now=NOON + timedelta(days=10_000))
    finish(process)

    assert states() == [State.BLOCKED, State.SUCCEEDED, State.READY]


def test_a_success_that_nobody_keeps_passes_its_key_on(process: Process) -> None:
    serve.enqueue_many([{"customer": 1}] * 2)
    (claimed,) = claim(process, kinds=["app.serve"])
    forgotten = transition(claimed, finished_at=NOON, is_forgotten=True)
    Job.objects.finalize_and_promote([forgotten], process=process)
    Job.objects.pass_on({"customer 1"})

    assert states() == [State.READY]


def test_a_key_is_passed_on_in_the_commit_that_frees_it(process: Process) -> None:
    serve.enqueue_many([{"customer": number % 2} for number in range(6)])
    done = claim(process, kinds=["app.serve"])
    with rolled_back():
        outcomes = [transition(one, finished_at=NOON) for one in done]
        held, promoted = Job.objects.finalize_and_promote(outcomes, process=process)
        assert set(held) == {one.id for one in done}
        assert {(one.queue, one.key) for one in promoted} == {
            ("default", "customer 0"),
            ("default", "customer 1"),
        }
        assert states() == [State.SUCCEEDED] * 2 + [State.READY] * 2 + [State.BLOCKED] * 2

    assert states() == [State.RUNNING] * 2 + [State.BLOCKED] * 4


def test_a_key_stays_with_a_job_that_another_process_has_claimed(process: Process) -> None:
    serve.enqueue_many([{"customer": 1}] * 2)
    (lost,) = claim(process, kinds=["app.serve"])
    Job.objects.claimed_by(process).release(now=NOON)
    claim(process_named("there"), kinds=["app.serve"])
    outcome = transition(lost, finished_at=NOON)

    assert Job.objects.finalize_and_promote([outcome], process=process) == ({}, [])
    assert Job.objects.pass_on({"customer 1"}) == []
    assert states() == [State.RUNNING, State.BLOCKED]


def test_each_slot_that_is_set_free_is_passed_on(process: Process) -> None:
    @job(kind="tests.subject", concurrency_key="both", concurrency_limit=3)
    def subject() -> None:
        pass

    subject.enqueue_many([{}] * 8)
    done = claim(process, kinds=["tests.subject"])
    outcomes = [transition(one, finished_at=NOON) for one in done]
    Job.objects.finalize_and_promote(outcomes, process=process)
    Job.objects.pass_on({"both"})

    assert states() == [State.SUCCEEDED] * 3 + [State.READY] * 3 + [State.BLOCKED] * 2
    assert sorted(Job.objects.ready().values_list("concurrency_slot", flat=True)) == [1, 2, 3]


def test_a_job_of_a_lower_limit_waits_until_so_few_run(process: Process) -> None:
    @job(kind="tests.subject", concurrency_key="both", concurrency_limit=2)
    def subject() -> None:
        pass

    subject.enqueue_many([{}] * 2)
    strict = stored_job(state=State.BLOCKED, concurrency_key="both", concurrency_limit=1)
    first, second = claim(process, kinds=["tests.subject"])
    for ended, state in ((second, State.BLOCKED), (first, State.READY)):
        outcome = transition(ended, finished_at=NOON)
        Job.objects.finalize_and_promote([outcome], process=process)
        Job.objects.pass_on({"both"})
        assert Job.objects.get(pk=strict.pk).state == state


def test_the_promoter_finds_keys_that_were_freed_by_nobody(process: Process) -> None:
    serve.using(max_attempts=1).enqueue_many([{"customer": 1}] * 3)
    (claimed,) = claim(process, kinds=["app.serve"])
    Job.objects.begin(claimed, process=process, now=NOON)
    reclaim(process, now=NOON)

    assert states()[1:] == [State.BLOCKED] * 2
    assert Promoter().run_once(now=NOON) == 1
    assert states()[1:] == [State.READY, State.BLOCKED]
    assert Promoter().run_once(now=NOON) == 0


def test_a_key_that_waits_for_a_commit_by_hand_is_found_by_the_promoter() -> None:
    transaction.set_autocommit(False)
    try:
        serve.enqueue(customer=1)
        transaction.commit()
    finally:
        transaction.set_autocommit(True)

    assert states() == [State.BLOCKED]
    assert Promoter().run_once(now=NOON) == 1


def test_jobs_of_other_keys_and_of_none_are_not_held_up(process: Process) -> None:
    serve.enqueue_many([{"customer": 1}] * 100)
    noop.enqueue()
    serve.enqueue(customer=2)

    kinds = ["app.serve", "app.noop"]
    assert len(claim(process, kinds=kinds)) == 3
