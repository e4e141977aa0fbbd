"""The census: totals of all jobs, for pages that must not count them."""

from datetime import timedelta

import pytest

from forge_jobs.dashboard import totals
from forge_jobs.dashboard.totals import Totals
from forge_jobs.models import Job, JobTotal, State
from forge_jobs.services.census import Census
from tests.conftest import NOON
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db


def test_it_counts_by_queue_and_state() -> None:
    stored_job()
    stored_job()
    finished_job(State.DEAD, queue="other")
    Census().run_once(now=NOON)

    counted = set(JobTotal.objects.values_list("queue", "state", "count", "counted_at"))
    assert counted == {("default", "ready", 2, NOON), ("other", "dead", 1, NOON)}


def test_a_later_census_forgets_what_is_gone() -> None:
    stored_job()
    Census().run_once(now=NOON)
    Job.objects.all().delete()
    Census().run_once(now=NOON + timedelta(seconds=10))

    assert not JobTotal.objects.exists()


def test_a_few_jobs_are_counted_while_one_looks() -> None:
    Census().run_once(now=NOON)
    stored_job()
    read = Totals.read()

    assert (read.of(states=[State.READY]), read.counted_at) == (1, None)


def test_many_jobs_are_told_as_the_census_found_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(totals, "FEW", 1)
    finished_job(State.SUCCEEDED)
    finished_job(State.SUCCEEDED)
    stored_job()
    Census().run_once(now=NOON)
    finished_job(State.SUCCEEDED)
    stored_job()
    read = Totals.read()

    assert read.of(states=[State.SUCCEEDED]) == 2
    assert read.of(states=[State.READY]) == 2
    assert read.of(queue="other") == 0
    assert read.counted_at == NOON


def test_a_new_leader_counts_when_the_one_before_it_would_have() -> None:
    minute = timedelta(minutes=1)
    JobTotal.objects.retake({("default", "succeeded"): 5_000_000}, now=NOON)
    new_leaders = Census()
    new_leaders.run_once(now=NOON + minute)
    rest = new_leaders.rest(now=NOON + minute)

    assert minute < rest <= 5 * minute
    assert JobTotal.objects.get().count == 5_000_000
    new_leaders.run_once(now=NOON + minute + rest)
    assert not JobTotal.objects.exists()


def test_a_count_by_a_clock_that_was_ahead_keeps_nobody_from_counting_for_long() -> None:
    JobTotal.objects.retake({("default", "succeeded"): 5_000_000}, now=NOON + timedelta(days=365))
    new_leaders = Census()
    new_leaders.run_once(now=NOON)

    assert new_leaders.rest(now=NOON) <= timedelta(minutes=5)
