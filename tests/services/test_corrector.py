"""The corrector: what a clock that was ahead has put off is brought back, and nothing else."""

from datetime import timedelta

import pytest

from forge_jobs.models import Job, Queue, State
from forge_jobs.services.corrector import Corrector
from tests.conftest import NOON
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
YEAR = timedelta(days=365)


@pytest.mark.parametrize("ahead", [HOUR, YEAR])
def test_the_delay_of_a_retry_begins_now(ahead: timedelta) -> None:
    failed_at = NOON + ahead
    stored_job(state=State.RETRYING, started_at=failed_at, run_at=failed_at + 90.5 * SECOND)

    assert [Corrector().run_once(now=NOON), Corrector().run_once(now=NOON)] == [1, 0]
    assert Job.objects.get().run_at == NOON + 90.5 * SECOND
    assert Job.objects.next_due() == NOON + 90.5 * SECOND


@pytest.mark.parametrize("ahead", [HOUR, YEAR])
def test_the_cooling_of_a_queue_begins_now(ahead: timedelta) -> None:
    Queue.objects.sow({"default": {}})
    Queue.objects.throttle("default", retry_after=30 * SECOND, now=NOON + ahead)

    assert [Corrector().run_once(now=NOON), Corrector().run_once(now=NOON)] == [1, 0]
    queue = Queue.objects.get()
    assert queue.is_cooling(now=NOON + 29 * SECOND)
    assert not queue.is_cooling(now=NOON + 30 * SECOND)


def test_what_is_to_wait_for_long_is_left_alone() -> None:
    stored_job(state=State.RETRYING, started_at=NOON, run_at=NOON + YEAR)
    stored_job(state=State.SCHEDULED, run_at=NOON + YEAR)
    stored_job(state=State.SCHEDULED, started_at=NOON, run_at=NOON + YEAR)
    Queue.objects.sow({"default": {}})
    Queue.objects.throttle("default", retry_after=YEAR, now=NOON)

    assert Corrector().run_once(now=NOON) == 0
