"""Wakes: sent when the enqueue is committed, once per queue and transaction, never in vain."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection, transaction

from forge_jobs import NewJob, enqueue_many
from forge_jobs.models import Job
from forge_jobs.wake.local import Bell, subscribe, unsubscribe
from tests.app.jobs import noop
from tests.rows import rolled_back

pytestmark = pytest.mark.django_db(transaction=True)

other = noop.using(queue="other")


class Counter(Bell):
    """A bell that keeps every ring."""

    def __init__(self) -> None:
        super().__init__()
        self.rings: list[str] = []

    def ring(self, queue: str) -> None:
        self.rings.append(queue)


@pytest.fixture
def bell() -> Iterator[Counter]:
    counter = Counter()
    subscribe(counter)
    yield counter
    unsubscribe(counter)


def test_an_enqueue_outside_of_a_transaction_wakes_at_once(bell: Counter) -> None:
    noop.enqueue()

    assert bell.rings == ["default"]


def test_an_enqueue_in_a_transaction_wakes_on_commit(bell: Counter) -> None:
    with transaction.atomic():
        noop.enqueue()
        assert bell.rings == []

    assert bell.rings == ["default"]


def test_an_enqueue_that_is_rolled_back_leaves_nothing_and_wakes_nobody(bell: Counter) -> None:
    with rolled_back():
        noop.enqueue()
        enqueue_many([NewJob(noop)] * 3)

    assert bell.rings == []
    assert not Job.objects.exists()


def test_a_transaction_wakes_each_of_its_queues_once(bell: Counter) -> None:
    with transaction.atomic():
        for _ in range(3):
            noop.enqueue()
            other.enqueue()
            enqueue_many([NewJob(noop), NewJob(noop, queue="images")])

    assert sorted(bell.rings) == ["default", "images", "other"]


def test_every_transaction_wakes(bell: Counter) -> None:
    for _ in range(2):
        with transaction.atomic():
            noop.enqueue()

    assert bell.rings == ["default", "default"]


def test_an_enqueue_in_a_savepoint_that_is_rolled_back_wakes_nobody(bell: Counter) -> None:
    with transaction.atomic():
        with rolled_back():
            noop.enqueue()
        other.enqueue()

    assert bell.rings == ["other"]


def test_an_enqueue_after_a_savepoint_that_was_rolled_back_wakes(bell: Counter) -> None:
    with transaction.atomic():
        with rolled_back():
            noop.enqueue()
        noop.enqueue()

    assert bell.rings == ["default"]


def test_an_enqueue_before_a_savepoint_that_was_rolled_back_wakes_once(bell: Counter) -> None:
    with transaction.atomic():
        noop.enqueue()
        with rolled_back():
            noop.enqueue()

    assert bell.rings == ["default"]


def test_an_enqueue_after_an_inner_savepoint_of_one_that_was_rolled_back_wakes(
    bell: Counter,
) -> None:
    with transaction.atomic():
        with rolled_back():
            with transaction.atomic():
                noop.enqueue()
            noop.enqueue()
        noop.enqueue()

    assert (bell.rings, Job.objects.count()) == (["default"], 1)


def test_a_savepoint_that_was_kept_wakes_once_with_its_transaction(bell: Counter) -> None:
    with transaction.atomic():
        with transaction.atomic():
            noop.enqueue()
        noop.enqueue()

    assert bell.rings == ["default"]


def test_a_job_for_later_wakes_nobody(bell: Counter) -> None:
    noop.using(delay=timedelta(days=1)).enqueue()

    assert bell.rings == []


def test_a_duplicate_wakes_nobody(bell: Counter) -> None:
    for _ in range(2):
        noop.using(dedupe_key="nightly").enqueue()

    assert bell.rings == ["default"]


def test_a_bulk_enqueue_wakes_each_of_its_queues_once(bell: Counter) -> None:
    enqueue_many([NewJob(noop, queue=queue) for queue in ["default", "other"] * 50])

    assert sorted(bell.rings) == ["default", "other"]


def test_a_ring_ends_a_sleep_and_says_for_which_queues() -> None:
    bell = Bell()
    subscribe(bell)
    noop.enqueue()
    other.enqueue()
    noop.enqueue()

    assert set(bell.wait(60)) == {"default", "other"}
    assert not bell.wait(0)


def test_a_wake_that_fails_does_not_fail_the_enqueue(
    bell: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "ring", lambda queue: 1 / 0)

    assert noop.enqueue().pk == Job.objects.get().pk


def test_a_wake_that_fails_does_not_keep_the_transaction_s_other_hooks_from_running(
    bell: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bell, "ring", lambda queue: 1 / 0)
    ran: list[bool] = []

    with transaction.atomic():
        noop.enqueue()
        transaction.on_commit(lambda: ran.append(True))

    assert ran == [True]


@pytest.mark.skipif(connection.vendor == "sqlite", reason="there is no NOTIFY")
def test_other_processes_hear_of_each_queue_once_after_the_commit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("forge_jobs.wake.postgresql._sent", {})
    listener = connection.copy()
    with listener.cursor() as cursor, connection.cursor() as speaker:
        cursor.execute("LISTEN forge_jobs")
        with transaction.atomic():
            noop.enqueue()
            other.enqueue()
            noop.enqueue()
            speaker.execute("SELECT pg_notify('forge_jobs', 'before')")
        speaker.execute("SELECT pg_notify('forge_jobs', 'after')")
        heard = [note.payload for note in listener.connection.notifies(timeout=30, stop_after=4)]
    listener.close()

    assert heard == ["before", "default", "other", "after"]
