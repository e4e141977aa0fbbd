"""A kind that is limited per process leaves the other threads to other kinds."""

import threading
import time

import pytest

from forge_jobs import job
from forge_jobs.models import Job, State
from forge_jobs.runtime.claiming import fetcher
from tests.app.jobs import noop
from tests.running import PATIENCE, drain, engine, eventually, running

pytestmark = pytest.mark.django_db(transaction=True)


class Gauge:
    """How many are in it at once, and the most there ever were."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = threading.Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            self.now -= 1


def test_no_more_than_the_limit_run_at_once() -> None:
    gauge = Gauge()

    @job(kind="tests.slow", max_concurrent_per_process=2)
    def slow() -> None:
        with gauge:
            time.sleep(0.01)

    slow.enqueue_many([{}] * 40)
    drain(threads=8)

    assert gauge.most == 2
    assert Job.objects.filter(state=State.SUCCEEDED, attempt=1).count() == 40


def test_no_job_is_claimed_in_vain_where_a_limited_kind_fills_the_front(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fetcher, "LONGEST_WAIT", PATIENCE)  # what waits for a processor stays

    @job(kind="tests.slow", max_concurrent_per_process=1)
    def slow() -> None:
        time.sleep(0.001)

    slow.enqueue_many([{}] * 100)
    noop.enqueue_many([{}] * 100)
    drained = drain(threads=8)

    assert Job.objects.finished().count() == 200
    assert drained.fetcher.load.given_back == 0


def test_room_for_a_kind_is_told_to_all_queues_at_once() -> None:
    release = threading.Event()

    @job(kind="tests.slow", max_concurrent_per_process=1)
    def slow() -> None:
        release.wait(30)

    slow.enqueue()
    subject = engine(queues=("default", "other"), poll_interval=300)
    with running(subject):
        eventually(lambda: Job.objects.running().exists())
        slow.using(queue="other").enqueue()
        eventually(lambda: not any(lane.may_hold_work for lane in subject.fetcher.lanes))
        release.set()
        eventually(lambda: not Job.objects.unfinished().exists())


def test_other_kinds_behind_it_are_not_held_up() -> None:
    release = threading.Event()

    @job(kind="tests.slow", max_concurrent_per_process=1)
    def slow() -> None:
        release.wait(30)

    slow.enqueue_many([{}] * 20)
    noop.enqueue_many([{}] * 20)
    with running(engine(threads=4)):
        eventually(lambda: Job.objects.filter(kind="app.noop").finished().count() == 20)
        assert Job.objects.running().count() == 1
        release.set()
        eventually(lambda: not Job.objects.unfinished().exists())
