"""How the databases find due schedules among thousands, and the jobs of one among many."""

from collections.abc import Iterator

import pytest
from django.db import connection
from pytest_django import DjangoDbBlocker

from forge_jobs.models import Job, Schedule, State
from tests.conftest import NOON
from tests.planned import MINUTE
from tests.plans import walks
from tests.rows import stored_job

pytestmark = pytest.mark.django_db

SCHEDULES = 2_000
JOBS = 5_000


@pytest.fixture(scope="module", autouse=True)
def _many(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    with django_db_blocker.unblock():
        fill()
        yield
        Job.objects.all().delete()
        Schedule.objects.all().delete()


def fill() -> None:
    Schedule.objects.bulk_create(
        Schedule(
            name=f"{number}",
            kind="app.noop",
            expression="* * * * *",
            next_fire_at=NOON + number * MINUTE if number % 10 else None,
            is_enabled=number % 3 > 0,
            is_over=number % 10 == 0,
        )
        for number in range(SCHEDULES)
    )
    template = stored_job(state=State.SUCCEEDED, finished_at=NOON)
    Job.objects.bulk_create(
        Job(
            queue="default",
            kind="app.noop",
            payload={},
            state=State.SUCCEEDED if number % 500 else State.READY,
            run_at=NOON,
            finished_at=template.finished_at if number % 500 else None,
            schedule_id=number % 300 or None,
        )
        for number in range(JOBS)
    )
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # What other tests put in and took out may have left an index many empty pages.
            cursor.execute("REINDEX TABLE forge_jobs_job")
            cursor.execute("ANALYZE forge_jobs_job, forge_jobs_schedule")


def test_the_due_the_unplanned_and_the_next_are_found_by_their_index() -> None:
    for rows in (
        Schedule.objects.due(now=NOON + 5 * MINUTE).filter(kind__in=["app.noop"])[:500],
        Schedule.objects.unplanned().filter(kind__in=["app.noop"]),
        Schedule.objects.planned().filter(kind__in=["app.noop"])[:1],
    ):
        plan = rows.explain()
        assert "forge_jobs_due_schedules" in plan, plan


def test_the_jobs_of_a_schedule_are_found_by_their_indexes() -> None:
    schedule = Schedule(pk=3)

    unfinished = Job.objects.unfinished().filter(schedule=schedule).explain()
    assert "forge_jobs_open_of_schedule" in unfinished, unfinished
    newest = Job.objects.filter(schedule=schedule).order_by("-pk")[:20].explain()
    assert "forge_jobs_of_schedule" in newest, newest


@pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")
def test_replacing_what_is_unfinished_walks_through_no_table() -> None:
    unfinished = Job.objects.unfinished().filter(schedule=Schedule(pk=3))

    assert walks(lambda: unfinished.cancel("replaced", now=NOON)) == []
