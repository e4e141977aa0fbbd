"""When an enqueued job runs: at once, after a delay, or at a moment."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from forge_jobs.clock import ManualClock
from forge_jobs.durations import LONGEST
from forge_jobs.models import State
from tests.app.jobs import noop
from tests.conftest import NOON

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize("delay", [60, 60.0, MINUTE])
def test_a_delayed_job_is_scheduled(manual_clock: ManualClock, delay: timedelta | float) -> None:
    stored = noop.using(delay=delay).enqueue()

    assert (stored.state, stored.run_at) == (State.SCHEDULED, NOON + MINUTE)


@pytest.mark.parametrize(
    "moment", [NOON + MINUTE, (NOON + MINUTE).astimezone(timezone(timedelta(hours=5)))], ids=str
)
def test_a_job_for_a_later_moment_is_scheduled(manual_clock: ManualClock, moment: datetime) -> None:
    stored = noop.using(run_at=moment).enqueue()

    assert (stored.state, stored.run_at) == (State.SCHEDULED, NOON + MINUTE)


@pytest.mark.parametrize("moment", [NOON, NOON - MINUTE, NOON - LONGEST], ids=str)
def test_a_job_that_is_due_already_is_ready(manual_clock: ManualClock, moment: datetime) -> None:
    stored = noop.using(run_at=moment).enqueue()

    assert (stored.state, stored.run_at) == (State.READY, moment)


def test_a_job_that_was_due_in_another_age_is_ready_too(manual_clock: ManualClock) -> None:
    """Its moment is brought near, for not every time zone has a name for the first of all."""
    stored = noop.using(run_at=datetime.min.replace(tzinfo=UTC)).enqueue()

    assert (stored.state, stored.run_at) == (State.READY, NOON - LONGEST)


def test_a_delay_of_nothing_is_due_at_once(manual_clock: ManualClock) -> None:
    assert noop.using(delay=0).enqueue().state == State.READY


@pytest.mark.usefixtures("manual_clock")
def test_an_immediate_job_is_due_at_the_database_s_moment() -> None:
    stored = noop.enqueue()

    assert stored.run_at == stored.enqueued_at
    assert abs(datetime.now(UTC) - stored.run_at) < MINUTE
