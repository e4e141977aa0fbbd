"""Enqueues that race with each other, with a worker, and with long transactions."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import pytest
from django.db import connections, transaction

from forge_jobs.handlers.handler import JobOptions, OnDuplicate
from forge_jobs.models import Job, State
from tests.app.jobs import effect, noop
from tests.app.models import Effect
from tests.running import PATIENCE, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)

RACERS = 50


@pytest.mark.parametrize("key", [{"dedupe_key": "same"}, {"idempotency_key": "same"}], ids=str)
def test_fifty_racing_enqueues_with_one_key_make_one_job(key: JobOptions) -> None:
    barrier = Barrier(RACERS)

    def enqueue(_: int) -> tuple[int, bool]:
        try:
            barrier.wait(PATIENCE)
            job = noop.using(**key).enqueue()
            return job.pk, job.was_deduplicated
        finally:
            connections.close_all()

    with ThreadPoolExecutor(RACERS) as pool:
        outcomes = list(pool.map(enqueue, range(RACERS)))

    assert Job.objects.count() == 1
    assert len({pk for pk, _ in outcomes}) == 1
    assert [deduplicated for _, deduplicated in outcomes].count(False) == 1


def test_racing_bulk_enqueues_with_overlapping_keys_make_one_job_a_key() -> None:
    from forge_jobs import NewJob, enqueue_many

    barrier = Barrier(4)

    def enqueue(shift: int) -> list[int]:
        keys = [f"key {(number * 7 + shift) % 100}" for number in range(100)]
        try:
            barrier.wait(PATIENCE)
            # Sorted keys are what keeps two such transactions from waiting for each other.
            return enqueue_many([NewJob(noop, dedupe_key=key) for key in sorted(keys)]).ids
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        first, *others = pool.map(enqueue, range(4))

    assert Job.objects.count() == 100
    assert all(ids == first for ids in others)


def test_a_key_is_free_again_while_its_job_finishes() -> None:
    with running(engine(threads=4)):
        for _ in range(200):
            noop.using(dedupe_key="the same").enqueue()
        eventually(lambda: not Job.objects.unfinished().exists())

    assert Job.objects.filter(state=State.SUCCEEDED).count() >= 1


def test_a_job_of_a_long_transaction_is_picked_up_after_its_commit() -> None:
    enqueued, commit = Event(), Event()

    def hold_transaction() -> None:
        try:
            with transaction.atomic():
                noop.using(idempotency_key="long").enqueue()
                enqueued.set()
                commit.wait(PATIENCE)
        finally:
            connections.close_all()

    others = 0 if connections["default"].vendor == "sqlite" else 500  # SQLite has one writer
    holder = Thread(target=hold_transaction)
    with running(engine()):
        holder.start()
        enqueued.wait(PATIENCE)
        noop.enqueue_many([{}] * others)
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).count() == others)
        commit.set()
        holder.join(PATIENCE)
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).count() == others + 1)


@pytest.mark.parametrize("way", ["replace", "postpone"])
def test_fifty_racing_enqueues_that_change_each_other_make_one_job(way: OnDuplicate) -> None:
    barrier = Barrier(RACERS)

    def enqueue(number: int) -> tuple[int, bool]:
        try:
            barrier.wait(PATIENCE)
            options = effect.using(dedupe_key="same", on_duplicate=way, delay=3600 + number)
            job = options.enqueue(number=number)
            return job.pk, job.was_deduplicated
        finally:
            connections.close_all()

    with ThreadPoolExecutor(RACERS) as pool:
        outcomes = list(pool.map(enqueue, range(RACERS)))

    job = Job.objects.get()
    assert {pk for pk, _ in outcomes} == {job.pk}
    assert [deduplicated for _, deduplicated in outcomes].count(False) == 1


def test_what_is_replaced_while_it_is_claimed_runs_with_its_last_payload() -> None:
    with running(engine(threads=4)):
        for number in range(200):
            effect.using(dedupe_key="same", on_duplicate="replace").enqueue(number=number)
        eventually(lambda: not Job.objects.unfinished().exists())

    assert Effect.objects.filter(number=199).count() == 1
    assert not Job.objects.exclude(state=State.SUCCEEDED).exists()
    assert Effect.objects.count() == Job.objects.count()


@pytest.mark.skipif(
    connections["default"].vendor == "sqlite", reason="SQLite has one writer at a time"
)
def test_a_transaction_that_replaces_a_running_job_keeps_no_outcome_from_being_stored() -> None:
    with running(engine()):
        effect.using(dedupe_key="same").enqueue(number=1, seconds=0.5)
        eventually(lambda: Job.objects.running().exists())
        with transaction.atomic():
            effect.using(dedupe_key="same", on_duplicate="replace").enqueue(number=2)
            eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).count() == 1)
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).count() == 2)
