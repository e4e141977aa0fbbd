"""How processes that run come by their shares of a queue's workers, and let go of them."""

from collections.abc import Iterator
from datetime import timedelta
from threading import Event, Lock

import pytest
from django.db import transaction

from forge_jobs import clock, job
from forge_jobs.conf import conf
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.models import Job, Process, Queue, Share
from forge_jobs.runtime.engine import Engine
from tests.app.jobs import noop
from tests.factories import process_named
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


class Crowd:
    """Handlers that stay until they are let go, and how many there are."""

    def __init__(self) -> None:
        self.inside = self.most = self.began = 0
        self.lock, self.go = Lock(), Event()

    def stay(self) -> None:
        with self.lock:
            self.inside, self.began = self.inside + 1, self.began + 1
            self.most = max(self.most, self.inside)
        assert self.go.wait(PATIENCE)
        with self.lock:
            self.inside -= 1


@pytest.fixture
def crowd() -> Iterator[Crowd]:
    crowd = Crowd()
    yield crowd
    crowd.go.set()


@pytest.fixture
def stay(crowd: Crowd) -> JobHandler:
    return job(kind="tests.stay")(crowd.stay)


def limit(max_workers: int | None) -> None:
    Queue.objects.update_or_create(name="default", defaults={"max_workers": max_workers})


def slots(subject: Engine) -> int:
    shares = Share.objects.filter(process=subject.process)
    return sum(shares.values_list("slots", flat=True))


def test_a_drain_ends_a_limited_queue_and_leaves_no_share_behind() -> None:
    limit(2)
    noop.enqueue_many([{}] * 300)
    drain(threads=4)

    assert Job.objects.finished().count() == 300
    assert not Share.objects.exists()


def test_a_limit_that_comes_while_jobs_run_counts_those_that_have_begun(
    crowd: Crowd, stay: JobHandler
) -> None:
    stay.enqueue_many([{}] * 8)
    with running(engine(threads=4)) as subject:
        eventually(lambda: crowd.inside == 4)
        limit(2)
        eventually(lambda: "default" in subject.doors)
        eventually(lambda: slots(subject) == 4)
        crowd.go.set()
        eventually(lambda: not Job.objects.unfinished().exists())

    assert Job.objects.finished().filter(attempt=1).count() == 8


def test_where_nothing_is_limited_nobody_looks_twice_in_a_second() -> None:
    sharing = engine().sharing
    sharing.run_once(now=clock.now())
    assert sharing.rest(now=clock.now()) == timedelta(seconds=1)


def test_a_limit_that_is_lifted_lets_all_go_on(crowd: Crowd, stay: JobHandler) -> None:
    limit(1)
    stay.enqueue_many([{}] * 4)
    with running(engine(threads=4)) as subject:
        eventually(lambda: crowd.inside == 1)
        limit(None)
        eventually(lambda: crowd.inside == 4)
        eventually(lambda: not Share.objects.exists())
        assert not subject.doors
        crowd.go.set()


def test_a_process_lets_go_of_what_it_does_not_use_when_another_goes_short(
    crowd: Crowd, stay: JobHandler
) -> None:
    limit(4)
    with running(engine(name="idle", queues=("default", "other"), threads=4)) as idle:
        eventually(lambda: slots(idle) == 4)
        stay.using(queue="other").enqueue_many([{}] * 4)
        eventually(lambda: crowd.inside == 4)
        with running(engine(name="short", threads=4)) as short:
            stay.enqueue_many([{}] * 8)
            eventually(lambda: crowd.inside == 8)
            assert (slots(idle), slots(short)) == (0, 4)
            crowd.go.set()


def test_of_two_that_want_one_slot_each_gets_it_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forge_jobs.models.shares.TURN", timedelta(seconds=0.2))
    limit(1)
    here, there = process_named("here"), engine(name="there", threads=1)
    Process.objects.filter(pk=here.pk).update(queues=["default"])
    now = clock.now()
    share = Share.objects.create(queue="default", process=here, slots=1, wanted=8, since=now)
    noop.enqueue_many([{}] * 3)
    with running(there):
        eventually(lambda: bool(there.sharing._owed))
        Share.objects.filter(pk=share.pk).update(slots=0, since=clock.now())  # its turn is over
        eventually(lambda: not Job.objects.unfinished().exists())


def test_a_process_that_is_made_quiet_leaves_its_slots_to_others() -> None:
    limit(2)
    with running(engine(name="quiet")) as quiet, running(engine(name="other")) as other:
        eventually(lambda: (slots(quiet), slots(other)) == (1, 1))
        Process.objects.filter(pk=quiet.process.pk).make_quiet()
        eventually(lambda: (slots(quiet), slots(other)) == (0, 2))


def test_who_has_not_been_heard_of_for_long_begins_nothing_until_it_beats_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    limit(2)
    with running(engine()) as subject:
        eventually(lambda: slots(subject) == 2)
        beats = Process.objects.filter(pk=subject.process.pk)
        monkeypatch.setattr(subject.heartbeat, "run_once", lambda *, now: 0)

        def is_noticed() -> bool:
            # Again and again, for a beat may have been under way.
            beats.update(heartbeat_at=clock.now() - conf().process_timeout)
            return subject.doors["default"].room() == 0

        eventually(is_noticed)
        stored = noop.enqueue()
        assert not Job.objects.finished().exists()
        beats.update(heartbeat_at=clock.now())
        eventually(lambda: Job.objects.finished().filter(pk=stored.pk).exists())


def test_who_was_given_up_as_lost_holds_nothing_until_it_has_come_back() -> None:
    limit(2)
    with running(engine()) as subject:
        eventually(lambda: slots(subject) == 2)
        with transaction.atomic():  # before it can notice
            Process.objects.filter(pk=subject.process.pk).delete()
            assert not Share.objects.exists()
        eventually(lambda: slots(subject) == 2)
        noop.enqueue()
        eventually(lambda: Job.objects.finished().exists())
