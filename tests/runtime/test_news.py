"""One look answers whether anything has changed; what is asked of a process arrives by it alone."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from threading import Thread

import pytest
from django.db import connection
from pytest_django import DjangoAssertNumQueries

from forge_jobs.models import Gate, Process, ProcessState, Queue, State
from forge_jobs.runtime.claiming.steering import Steering
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.news import News
from forge_jobs.runtime.orders import Orders
from forge_jobs.services import gatekeeper, horizon
from forge_jobs.services.followers import Followers
from forge_jobs.services.gatekeeper import Gatekeeper
from forge_jobs.services.horizon import Horizon
from forge_jobs.services.leader import Leader
from forge_jobs.services.scheduler import Scheduler
from forge_jobs.services.stager import Stager
from forge_jobs.wake import local
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job
from tests.running import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)

SECOND = timedelta(seconds=1)


class Desk:
    """A process that gets news, and what comes of them."""

    def __init__(self) -> None:
        self.process = process_named("reader")
        self.lifecycle = Lifecycle()
        self.steering = Steering(["default", "other"])
        self.hears = False
        self.followers = Followers()
        self.horizon = Horizon()
        self.leader = Leader(self.process)
        self.news = News(
            self.process,
            queues=["default", "other"],
            steering=self.steering,
            orders=Orders(self.process, self.lifecycle),
            followers=self.followers,
            horizon=self.horizon,
            leader=self.leader,
            hears=lambda: self.hears,
            poll_interval=SECOND,
        )

    def look(self) -> int:
        return self.news.run_once(now=NOON)


@pytest.fixture(autouse=True)
def _however_slow_the_machine_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was told is fresh until it is told again, and no look takes long."""
    monkeypatch.setattr(horizon, "TOLD_SECONDS", PATIENCE)
    monkeypatch.setattr(gatekeeper, "REST_SHARE", 0)


@pytest.fixture
def desk() -> Desk:
    Queue.objects.sow({"default": {}, "other": {}})
    desk = Desk()
    desk.look()
    return desk


@pytest.fixture
def bell() -> Iterator[local.Bell]:
    bell = local.Bell()
    local.subscribe(bell)
    yield bell
    local.unsubscribe(bell)


def other_session(act: Callable[[], object]) -> None:
    """As somebody else does: SQLite tells of the commits of others only."""

    def work() -> None:
        act()
        connection.close()

    thread = Thread(target=work)
    thread.start()
    thread.join(PATIENCE)


def test_a_change_by_hand_of_a_queue_arrives(desk: Desk) -> None:
    other_session(lambda: Queue.objects.filter(name="other").update(is_paused=True))
    desk.look()
    assert desk.steering.closed == {"other"}

    other_session(lambda: Queue.objects.filter(name="other").update(is_paused=False))
    desk.look()
    assert desk.steering.closed == frozenset()


def test_a_queue_opens_by_itself_when_it_has_cooled_down(desk: Desk) -> None:
    cooling = {"throttled_until": NOON + SECOND, "throttle_attempts": 1}
    other_session(lambda: Queue.objects.filter(name="other").update(**cooling))
    desk.look()
    assert desk.steering.closed == {"other"}

    desk.news.run_once(now=NOON + SECOND)
    assert desk.steering.closed == frozenset()


def test_an_order_by_hand_is_obeyed_once(desk: Desk) -> None:
    other_session(lambda: Process.objects.update(requested_state=ProcessState.STOPPING))
    for _ in range(3):
        desk.look()

    assert desk.lifecycle.stop_requests.qsize() == 1


def test_a_job_of_which_nobody_was_told_is_found_when_it_is_time_to_poll(
    desk: Desk, bell: local.Bell, monkeypatch: pytest.MonkeyPatch
) -> None:
    other_session(lambda: stored_job(queue="other"))
    desk.look()
    assert not bell.wait(0)
    monkeypatch.setattr(desk.news, "_polled_at", float("-inf"))
    desk.look()

    assert bell.wait(0) == {"other": 1}


def test_nothing_new_takes_one_statement(
    desk: Desk, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    Queue.objects.sow({f"queue {number}": {} for number in range(50)})
    desk.look()
    with django_assert_num_queries(1):
        desk.look()


def test_a_missed_notification_heals_in_two_seconds_and_where_none_arrive_in_half_a_one(
    desk: Desk,
) -> None:
    assert desk.news.rest(now=NOON) == SECOND / 2
    desk.hears = True
    assert desk.news.rest(now=NOON) == 2 * SECOND
    desk.leader.leads = True
    assert desk.news.rest(now=NOON) == SECOND


def test_whoever_leads_is_told_what_will_be_due_and_its_services_look_at_once(
    desk: Desk, bell: local.Bell, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    desk.leader.run_once(now=NOON)
    assert bell.wait(0)[local.DUE] == 1  # to begin
    desk.look()
    assert bell.wait(0)[local.DUE] == 1
    desk.look()
    assert not bell.wait(0)

    other_session(lambda: stored_job(state=State.SCHEDULED, run_at=NOON + SECOND))
    desk.look()

    assert bell.wait(0)[local.DUE] == 1
    with django_assert_num_queries(0):
        assert desk.horizon.look(desk).job == NOON + SECOND


def test_services_that_are_told_what_comes_rest_longer_and_are_woken_by_it(
    desk: Desk, bell: local.Bell
) -> None:
    services = [Stager(desk.horizon), Scheduler(desk.horizon), Gatekeeper(desk.horizon)]

    def rests() -> set[timedelta]:
        for service in services:
            service.run_once(now=NOON)
        return {service.rest(now=NOON) for service in services}

    assert rests() == {SECOND}
    desk.leader.leads = True
    desk.look()
    assert rests() == {5 * SECOND}

    bell.wait(0)
    other_session(lambda: stored_job(state=State.SCHEDULED, run_at=NOON + SECOND / 4))
    desk.look()
    assert bell.wait(0)[local.DUE] == 1
    assert all(service.is_urgent for service in services)
    assert rests() == {SECOND / 4, 5 * SECOND}


def test_what_comes_after_jobs_is_seen_to_at_once_and_each_second_from_then_on(
    desk: Desk, bell: local.Bell
) -> None:
    keeper = Gatekeeper(desk.horizon)
    desk.leader.leads = True
    desk.look()
    keeper.run_once(now=NOON)
    bell.wait(0)
    other_session(lambda: Gate.objects.create())
    desk.look()
    assert bell.wait(0)[local.DUE] == 1
    assert keeper.is_urgent

    keeper.run_once(now=NOON)
    assert keeper.rest(now=NOON) == SECOND
    assert not keeper.is_urgent


def test_what_has_been_changed_since_it_was_told_is_asked_for(desk: Desk) -> None:
    desk.leader.leads = True
    other_session(lambda: stored_job(state=State.SCHEDULED, run_at=NOON))
    desk.look()

    assert Stager(desk.horizon).run_once(now=NOON) == 1
    assert desk.horizon.look(desk).job is None


def test_that_something_comes_after_jobs_is_known_with_the_news(desk: Desk) -> None:
    assert not desk.followers.are_there
    other_session(lambda: Gate.objects.create())
    desk.look()

    assert desk.followers.are_there


def test_a_queue_that_is_changed_and_changed_back_while_it_is_read_arrives(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its row was read later than the signs of it, which look the same afterwards."""
    queue = Queue.objects.filter(name="other")
    read = desk.steering.run_once

    def paused_at_the_last_moment(*, now: datetime) -> int:
        other_session(lambda: queue.update(is_paused=True))
        return read(now=now)

    other_session(lambda: queue.update(max_workers=3))
    with monkeypatch.context() as patch:
        patch.setattr(desk.steering, "run_once", paused_at_the_last_moment)
        desk.look()
    assert desk.steering.closed == {"other"}

    other_session(lambda: queue.update(is_paused=False))
    desk.look()

    assert not desk.steering.closed
