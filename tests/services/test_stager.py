"""The stager: due jobs become ready, their queues are woken, and it sleeps until the next one."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from forge_jobs.models import Job, State
from forge_jobs.services import stager
from forge_jobs.services.stager import Stager
from forge_jobs.wake.local import Bell, subscribe, unsubscribe
from tests.conftest import NOON
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


@pytest.fixture
def bell() -> Iterator[Bell]:
    bell = Bell()
    subscribe(bell)
    yield bell
    unsubscribe(bell)


def test_due_jobs_become_ready() -> None:
    for state in (State.SCHEDULED, State.RETRYING):
        stored_job(state=state, run_at=NOON - SECOND)
    later = stored_job(state=State.SCHEDULED, run_at=NOON + SECOND)

    assert Stager().run_once(now=NOON) == 2
    assert Job.objects.waiting().get() == later


def test_where_nothing_is_due_nothing_changes(bell: Bell) -> None:
    stored_job(state=State.SCHEDULED, run_at=NOON + SECOND)
    stored_job(state=State.READY)

    assert Stager().run_once(now=NOON) == 0
    assert not bell.wait(0)


def test_a_job_is_staged_once() -> None:
    stored_job(state=State.SCHEDULED)

    assert [Stager().run_once(now=NOON) for _ in range(2)] == [1, 0]


def test_a_job_is_staged_as_soon_as_it_is_due() -> None:
    stored_job(state=State.SCHEDULED, run_at=NOON + SECOND)

    moments = [NOON, NOON + SECOND - timedelta(microseconds=1), NOON + SECOND]
    assert [Stager().run_once(now=moment) for moment in moments] == [0, 0, 1]


@pytest.mark.parametrize("due", [2, 3, 4, 7])
def test_more_jobs_than_one_batch_are_staged_at_once(
    monkeypatch: pytest.MonkeyPatch, due: int
) -> None:
    monkeypatch.setattr(stager, "BATCH", 3)
    for _ in range(due):
        stored_job(state=State.SCHEDULED)

    assert Stager().run_once(now=NOON) == due
    assert Job.objects.ready().count() == due


def test_the_queues_of_staged_jobs_are_woken(bell: Bell) -> None:
    for queue in ("default", "default", "other"):
        stored_job(state=State.SCHEDULED, queue=queue)
    Stager().run_once(now=NOON)

    assert set(bell.wait(0)) == {"default", "other"}


def test_it_rests_until_the_next_job_is_due() -> None:
    stored_job(state=State.SCHEDULED, run_at=NOON + SECOND / 4)
    stored_job(state=State.RETRYING, run_at=NOON + SECOND / 2)

    assert Stager().rest(now=NOON) == SECOND / 4


def test_it_rests_for_at_most_a_second() -> None:
    assert Stager().rest(now=NOON) == SECOND

    stored_job(state=State.SCHEDULED, run_at=NOON + 60 * SECOND)
    assert Stager().rest(now=NOON) == SECOND


def test_it_does_not_rest_while_jobs_are_due() -> None:
    stored_job(state=State.SCHEDULED, run_at=NOON - SECOND)

    assert Stager().rest(now=NOON) <= timedelta(0)
