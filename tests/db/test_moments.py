"""Moments of the database: as those of Python, and read even where Python has no name for them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import F, Max, Min

from forge_jobs import NewJob, enqueue_many, testing
from forge_jobs.models import Job, Process, Queue, RateLimitBudget, Schedule
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)

YEAR_33715 = "33715-01-01 00:00:00"
IMPOSSIBLE = [YEAR_33715, "infinity", "-infinity", "4000-01-01 00:00:00+00 BC"]
NAMED = {
    datetime(1, 1, 2, tzinfo=UTC),
    datetime(9999, 12, 30, tzinfo=UTC),
}


def spoil(table: str, column: str, moment: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"UPDATE {table} SET {column} = %s", [moment])


@pytest.mark.skipif(connection.vendor == "sqlite", reason="SQLite gives None for such a text")
@pytest.mark.parametrize("moment", IMPOSSIBLE)
def test_an_impossible_moment_reads_as_the_nearest_that_can_be_told(moment: str) -> None:
    stored = noop.enqueue()
    spoil("forge_jobs_job", "run_at", moment)

    stored.refresh_from_db()
    assert stored.run_at in NAMED
    assert Job.objects.values_list("run_at", flat=True).get() in NAMED


def test_moments_read_as_they_are() -> None:
    stored = noop.enqueue()
    fresh = Job.objects.get()

    assert (fresh.run_at, fresh.started_at) == (stored.run_at, None)
    assert set(Job.objects.aggregate(Min("run_at"), Max("run_at")).values()) == {stored.run_at}


@pytest.mark.parametrize(
    "moment", IMPOSSIBLE if connection.vendor == "postgresql" else [YEAR_33715, "never"]
)
def test_a_process_starts_and_works_beside_impossible_moments(moment: str) -> None:
    drain()  # which stores the rows of queues and budgets
    spoil("forge_jobs_queue", "throttled_until", moment)
    spoil("forge_jobs_ratelimitbudget", "refilled_at", moment)
    spoil("forge_jobs_ratelimitbudget", "drained_until", moment)
    Queue.objects.update(throttled_until=None)
    waiting = noop.using(delay=3600).enqueue()
    spoil("forge_jobs_job", "run_at", moment)
    stored = noop.enqueue()

    drained = drain()

    stored.refresh_from_db()
    waiting.refresh_from_db()
    assert not drained.failure
    assert stored.state == "succeeded"
    assert list(RateLimitBudget.objects.all()) is not None
    assert not Process.objects.exists()
    assert not Schedule.objects.filter(last_error__gt="").exists()


@pytest.mark.parametrize("after", [timedelta(0), timedelta(milliseconds=321)], ids=str)
def test_a_moment_that_the_database_said_is_equal_to_the_same_of_python(after: timedelta) -> None:
    moment = NOON + after
    waiting = noop.using(dedupe_key="k", delay=3600).enqueue()
    with testing.frozen_at(moment):
        first, second = enqueue_many([NewJob(noop), NewJob(noop)])
        noop.using(dedupe_key="k", on_duplicate="replace").enqueue()
        held = noop.using(after=[first, second]).enqueue()
        Job.objects.filter(pk=held.pk).update(run_at=F("run_at") - timedelta(hours=1))
        alone = noop.enqueue()
        testing.drain()

    mine = {stored.pk for stored in (waiting, first, second, held, alone)}
    assert set(Job.objects.filter(run_at=moment).values_list("pk", flat=True)) == mine
    since = Job.objects.filter(enqueued_at=moment).values_list("pk", flat=True)
    assert set(since) == mine - {waiting.pk}
