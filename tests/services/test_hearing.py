"""Hearing: a process is lost when nothing new is heard of it, whatever the moments say."""

from datetime import timedelta

import pytest

from forge_jobs.models import Process
from forge_jobs.services.hearing import Hearing
from tests.conftest import NOON
from tests.factories import process_named
from tests.listening import Listener

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


@pytest.fixture
def listener() -> Listener:
    return Listener()


def lost(listener: Listener, *, now: int) -> list[str]:
    found = listener.hearing.lost(now=NOON + now * SECOND)
    return [process.name for process in found]


def test_a_process_that_says_nothing_new_is_lost_after_its_timeout(listener: Listener) -> None:
    process_named("gone")
    listener.listen_until(29)
    assert lost(listener, now=29) == []

    listener.listen_until(30)
    assert lost(listener, now=30) == ["gone"]


def test_that_a_beat_was_heard_late_does_not_put_it_off(listener: Listener) -> None:
    listener.listen_until(60)
    process_named("gone", heartbeat_at=NOON + 56 * SECOND)
    listener.listen_until(86)
    assert lost(listener, now=86) == []

    listener.listen_until(87)
    assert lost(listener, now=87) == ["gone"]


@pytest.mark.parametrize("ahead", [SECOND, HOUR, YEAR])
def test_a_beat_from_the_future_is_believed_for_one_timeout(
    listener: Listener, ahead: timedelta
) -> None:
    process_named("gone", heartbeat_at=NOON + ahead)
    listener.listen_until(25)
    assert lost(listener, now=25) == []

    listener.listen_until(30)
    assert lost(listener, now=30) == ["gone"]


@pytest.mark.parametrize("off", [-YEAR, -HOUR, HOUR, YEAR])
def test_a_process_that_beats_lives_whatever_time_it_thinks_it_is(
    listener: Listener, off: timedelta
) -> None:
    process = process_named("alive", heartbeat_at=NOON + off)
    for seconds in range(0, 120, 5):
        Process.objects.beat(process, now=NOON + off + seconds * SECOND)
        listener.listen_until(seconds)

    assert lost(listener, now=120) == []


def test_whoever_begins_to_listen_has_heard_nobody_be_silent(listener: Listener) -> None:
    process_named("gone", heartbeat_at=NOON - HOUR)
    listener.listen_until(25)

    assert not listener.hearing.can_judge()
    assert lost(listener, now=25) == []


def test_after_a_gap_everybody_has_time_to_beat_again(listener: Listener) -> None:
    process_named("slow")
    listener.listen_until(60)
    listener.elapsed = 300.0  # the database was away, or this process was stopped

    assert not listener.hearing.can_judge()
    assert lost(listener, now=300) == []
    listener.listen_until(325)
    assert lost(listener, now=325) == []
    listener.listen_until(330)
    assert lost(listener, now=330) == ["slow"]


def test_a_process_that_beats_before_it_is_looked_at_again_is_not_lost(
    listener: Listener,
) -> None:
    process = process_named("late")
    listener.listen_until(60)
    Process.objects.beat(process, now=NOON + 60 * SECOND)

    assert lost(listener, now=60) == []


def test_a_process_that_is_forgotten_is_heard_of_no_more(listener: Listener) -> None:
    process_named("gone").delete()
    listener.listen_until(60)

    assert lost(listener, now=60) == []


def test_it_goes_by_elapsed_time_of_its_own() -> None:
    assert not Hearing().can_judge()
