"""The lease: one leader at a time, another one soon after it is gone, and no harm from two."""

import threading
from datetime import timedelta

import pytest
from django.db import connections

from forge_jobs.conf import conf
from forge_jobs.models import Job, Lease, Process, State
from forge_jobs.models.lease import SERVICES
from forge_jobs.services.leader import Leader
from forge_jobs.services.reaper import Reaper
from forge_jobs.services.stager import Stager
from tests.conftest import NOON
from tests.factories import process_named
from tests.listening import Listener
from tests.rows import claim, stored_job
from tests.running import PATIENCE

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


@pytest.fixture
def first(db: None) -> Leader:
    return Leader(process_named("first"))


@pytest.fixture
def second(db: None) -> Leader:
    return Leader(process_named("second"))


def test_one_leads_and_the_other_waits(first: Leader, second: Leader) -> None:
    assert first.run_once(now=NOON) == 1
    assert second.run_once(now=NOON) == 0
    assert (first.leads, second.leads) == (True, False)


def test_the_leader_stays_as_long_as_it_renews(first: Leader, second: Leader) -> None:
    for _ in range(10):
        now = NOON + _ * first.interval
        assert first.run_once(now=now) == 1
        assert second.run_once(now=now) == 0


def test_a_dead_leader_is_replaced_within_15_seconds(first: Leader, second: Leader) -> None:
    first.run_once(now=NOON)
    died_at, now = NOON, NOON
    while not second.run_once(now=now):
        now += second.rest(now=now)

    assert now - died_at <= timedelta(seconds=15)


def test_a_leader_that_its_supervisor_has_buried_is_replaced_at_the_next_look(
    first: Leader, second: Leader
) -> None:
    first.run_once(now=NOON)
    first.process.delete()

    assert second.run_once(now=NOON + second.rest(now=NOON)) == 1
    assert second.interval <= conf().lease / 3


def test_a_leader_that_comes_too_late_follows(first: Leader, second: Leader) -> None:
    first.run_once(now=NOON)
    late = NOON + conf().lease
    assert second.run_once(now=late) == 1
    assert first.run_once(now=late) == 0
    assert not first.leads


def test_a_leader_that_resigns_is_replaced_at_once(first: Leader, second: Leader) -> None:
    first.run_once(now=NOON)
    first.resign(now=NOON + SECOND)

    assert not first.leads
    assert second.run_once(now=NOON + SECOND) == 1


def test_only_the_holder_hands_a_lease_on(first: Leader, second: Leader) -> None:
    first.run_once(now=NOON)
    second.resign(now=NOON + SECOND)

    assert Lease.objects.get().process == first.process
    assert second.run_once(now=NOON + SECOND) == 0


@pytest.mark.parametrize("ahead", [timedelta(minutes=1), HOUR, timedelta(days=365)])
def test_a_lease_that_ends_later_than_any_lasts_is_not_honoured(
    first: Leader, second: Leader, ahead: timedelta
) -> None:
    first.run_once(now=NOON + ahead)

    assert Lease.objects.holder(SERVICES, now=NOON) is None
    assert second.run_once(now=NOON) == 1
    assert Lease.objects.holder(SERVICES, now=NOON) == second.process.pk


def in_threads(*actions: object) -> None:
    """Run all at once, each with a connection of its own."""
    start = threading.Barrier(len(actions))
    errors: list[BaseException] = []

    def act(action: object) -> None:
        try:
            start.wait(PATIENCE)
            action()  # type: ignore[operator] # it is callable
        except BaseException as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=act, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert not errors


@pytest.mark.django_db(transaction=True)
def test_of_many_that_grasp_the_lease_at_once_one_gets_it() -> None:
    leaders = [Leader(process_named(f"leader {number}")) for number in range(8)]
    in_threads(*[lambda leader=leader: leader.run_once(now=NOON) for leader in leaders])

    assert sum(leader.leads for leader in leaders) == 1


@pytest.mark.django_db(transaction=True)
def test_two_leaders_at_once_do_no_harm() -> None:
    lost = process_named("lost")
    for _ in range(300):
        stored_job(max_attempts=5)
    claim(lost, limit=300)
    for _ in range(300):
        stored_job(state=State.SCHEDULED, run_at=NOON)
    hearing = Listener().listen_until(60)
    reapers = [Reaper(hearing) for _ in range(3)]
    stagers = [Stager() for _ in range(3)]

    in_threads(*[lambda each=each: each.run_once(now=NOON + HOUR) for each in [*reapers, *stagers]])

    assert Job.objects.ready().count() == 600
    assert {len(job.errors) for job in Job.objects.filter(attempt=1)} == {1}
    assert Job.objects.filter(attempt=1).count() == 300
    assert not Process.objects.exists()
