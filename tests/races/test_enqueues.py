"""Enqueues that race with each other, with a worker, and with long transactions."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event, Thread

import pytest
from django.db import connections, transaction

from forge_jobs.handlers.handler import JobOptions
from forge_jobs.models import Job, State
from tests.app.jobs import noop
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
