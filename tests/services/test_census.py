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
