"""Enqueueing in bulk: all or none, in order, and as if each job had been enqueued alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from pytest_django import DjangoAssertNumQueries

from forge_jobs import EnqueueError, NewJob, aenqueue_many, enqueue, enqueue_many
from forge_jobs.clock import ManualClock
from forge_jobs.handlers.handler import JobOptions
from forge_jobs.models import Job, State
from tests.app.jobs import effect, noop
from tests.conftest import NOON
from tests.rows import columns, rolled_back

pytestmark = pytest.mark.django_db

ALL_OPTIONS: JobOptions = {
    "queue": "other",
    "priority": 7,
    "run_at": NOON,
    "max_attempts": None,
    "timeout": 1.5,
    "context": {"trace": "Grüße 🦆"},
}


def effects(count: int) -> list[NewJob]:
    return [NewJob(effect, {"number": number}) for number in range(count)]


def numbers() -> list[int]:
    """The payloads that are stored, in the order in which they will run."""
    jobs = Job.objects.order_by("run_at", "id")
    return [payload["number"] for payload in jobs.values_list("payload", flat=True)]


def test_jobs_are_stored_and_returned_in_their_order() -> None:
    jobs = enqueue_many(effects(100))

    assert [job.payload["number"] for job in jobs] == list(range(100))
    assert numbers() == list(range(100))


def test_a_bulk_is_a_sequence() -> None:
    jobs = enqueue_many(effects(10))

    assert len(jobs) == 10
    assert [job.pk for job in jobs] == jobs.ids
    assert [jobs[0].payload, jobs[-1].payload] == [{"number": 0}, {"number": 9}]
    assert [job.pk for job in jobs[2:4]] == jobs.ids[2:4]


def test_ids_need_no_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    jobs = enqueue_many(effects(10))

    with django_assert_num_queries(0):
        assert len(set(jobs.ids)) == len(jobs) == 10


def test_nothing_at_all_can_be_enqueued() -> None:
    jobs = enqueue_many([])

    assert (len(jobs), jobs.ids, list(jobs), jobs.deduplicated) == (0, [], [], 0)


def test_thousands_go_into_one_statement_and_stay_in_order(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    with django_assert_num_queries(3):
        jobs = enqueue_many(effects(12_000))

    assert jobs.ids == sorted(jobs.ids)
    assert numbers() == list(range(12_000))


def test_jobs_may_come_from_a_generator() -> None:
    assert len(enqueue_many(job for job in effects(3))) == 3


def test_jobs_may_be_of_several_kinds_and_options() -> None:
    jobs = enqueue_many([NewJob("app.noop", priority=5), NewJob(effect, {"number": 1})])

    assert [(job.kind, job.priority) for job in jobs] == [("app.noop", 5), ("app.effect", 0)]


@pytest.mark.parametrize("options", [{"run_at": NOON}, ALL_OPTIONS], ids=["few", "all"])
@pytest.mark.parametrize("beside", [[], [NewJob(noop)]], ids=["alike", "beside another"])
def test_each_job_is_stored_as_if_it_had_been_enqueued_alone(
    options: JobOptions, beside: list[NewJob]
) -> None:
    alone = enqueue(effect, {"number": 1}, **options)
    own = ("id", "enqueued_at")

    for job in enqueue_many([NewJob(effect, {"number": 1}, **options)] * 3 + beside)[:3]:
        assert columns(job, without=own) == columns(alone, without=own)
        assert alone.enqueued_at <= job.enqueued_at


def test_jobs_for_later_are_scheduled_among_those_for_now(manual_clock: ManualClock) -> None:
    now, later = enqueue_many([NewJob(noop), NewJob(noop, delay=60)])

    assert [now.state, later.state] == [State.READY, State.SCHEDULED]


@pytest.mark.parametrize("place", [0, 50, 5_050])
def test_one_bad_job_is_refused_and_nothing_is_written(place: int) -> None:
    jobs = effects(5_100)
    jobs[place] = NewJob(effect, {"nubmer": 1})

    with pytest.raises(EnqueueError) as refusal:
        enqueue_many(jobs)

    assert refusal.value.field == "payload"
    assert not Job.objects.exists()


def test_jobs_that_can_not_be_made_write_nothing() -> None:
    def failing() -> Iterator[NewJob]:
        yield NewJob(noop)
        raise LookupError

    with pytest.raises(LookupError):
        enqueue_many(failing())

    assert not Job.objects.exists()


def test_a_bulk_is_rolled_back_with_the_caller_s_transaction() -> None:
    with rolled_back():
        enqueue_many(effects(10))

    assert not Job.objects.exists()


def test_a_handler_enqueues_one_job_a_payload() -> None:
    jobs = effect.using(priority=5).enqueue_many({"number": number} for number in range(3))

    assert [(job.priority, job.payload["number"]) for job in jobs] == [(5, 0), (5, 1), (5, 2)]


def test_a_handler_refuses_a_bulk_with_one_bad_payload() -> None:
    with pytest.raises(EnqueueError, match="'number' is missing"):
        effect.enqueue_many([{"number": 1}, {}])

    assert not Job.objects.exists()


def test_a_bulk_is_enqueued_from_async_code() -> None:
    payloads: list[dict[str, Any]] = [{"number": 1}, {"number": 2}]

    assert len(async_to_sync(aenqueue_many)(effects(2))) == 2
    assert len(async_to_sync(effect.aenqueue_many)(payloads)) == 2
    assert len(async_to_sync(effect.using(priority=5).aenqueue_many)(payloads)) == 2


def test_payloads_too_large_for_one_statement_are_spread_over_several(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    trace = {"trace": "x" * 1_000_000}
    many = [NewJob(effect, {"number": number}, context=trace) for number in range(40)]

    with django_assert_num_queries(2):
        enqueue_many(many)

    assert numbers() == list(range(40))
