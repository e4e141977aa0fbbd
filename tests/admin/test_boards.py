"""What the tabs of queues, processes, schedules, batches and budgets share."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from forge_jobs.models import Batch, Job, Process, Queue, RateLimitBudget, Schedule, State
from tests.admin.people import LIVE, browser, operator, text
from tests.conftest import NOON
from tests.factories import process_named
from tests.planned import planned_schedule
from tests.plans import walks
from tests.rows import finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

BOARDS = {
    "queue": "view_queue",
    "process": "view_process",
    "schedule": "view_schedule",
    "ratelimitbudget": "view_ratelimitbudget",
    "batch": "view_batch",
}
boards = pytest.mark.parametrize("board", BOARDS)


def address(board: str) -> str:
    return reverse(f"admin:forge_jobs_{board}_changelist")


@boards
@pytest.mark.parametrize("key", ["-1", "abc", "1.5", "a\0", "99999999999999999999"])
def test_a_row_that_cannot_be_leads_back_to_the_index(board: str, key: str) -> None:
    page = reverse(f"admin:forge_jobs_{board}_change", args=[key])

    assert operator().get(page).status_code == 302


def busy(*, processes: int = 1) -> None:
    """One of everything, and jobs in every state."""
    Queue.objects.get_or_create(name="default", defaults={"budget": "slack"})
    RateLimitBudget.objects.get_or_create(
        name="slack", defaults={"capacity": 1, "refill_per_second": 1, "tokens": 0}
    )
    for number in range(processes):
        process = process_named(f"p{number}", queues=["default"])
        stored_job(state=State.RUNNING, process=process, started_at=NOON)
    batch = Batch.objects.create(name="import")
    stored_job(batch=batch)
    row = planned_schedule()
    stored_job(schedule=row)
    for state in (State.SCHEDULED, State.RETRYING, State.BLOCKED):
        stored_job(state=state)
    for state in (State.SUCCEEDED, State.DEAD, State.CANCELLED):
        finished_job(state)


@boards
@pytest.mark.skipif(connection.vendor != "sqlite", reason="asks SQLite for its plans")
def test_no_page_walks_through_the_table_of_jobs(board: str) -> None:
    busy()
    client = operator()

    assert walks(lambda: client.get(address(board))) == []


def test_many_processes_cost_no_more_queries_than_one() -> None:
    def asked(processes: int) -> int:
        busy(processes=processes)
        client = operator(f"ada{processes}")
        with CaptureQueriesContext(connection) as queries:
            client.get(address("process"))
        return len(queries)

    few = asked(1)
    for model in (Job, Schedule, Process):
        model._default_manager.all().delete()

    assert asked(20) == few


@boards
def test_each_board_is_a_tab_for_whoever_may_see_it(board: str) -> None:
    page = text(browser(BOARDS[board]).get(address(board)))

    assert page.count('aria-current="page"') >= 1
    assert f'href="{address(board)}"' in page
    assert reverse("admin:forge_jobs_job_changelist") + '">' not in page


@boards
def test_a_board_has_nothing_inline(board: str) -> None:
    busy()
    response: Any = operator().get(address(board), headers=LIVE)
    html = response.json()["html"]

    for word in (" style=", "<script", "<style", " onclick=", "javascript:"):
        assert word not in html


def test_a_row_that_is_gone_is_not_found() -> None:
    path = reverse("admin:forge_jobs_pause_queue", args=[4711])

    assert operator().post(path).status_code == 404


def test_one_is_led_back_only_to_pages_of_this_site() -> None:
    row = Queue.objects.create(name="default")
    path = reverse("admin:forge_jobs_pause_queue", args=[row.pk])
    response = operator().post(path, {"back": "https://elsewhere.example/"})

    assert response["Location"] == reverse("admin:forge_jobs_queue_change", args=[row.pk])


def test_a_question_is_asked_with_protection_against_forgery() -> None:
    row = Queue.objects.create(name="default", throttled_until=NOON + timedelta(minutes=1))
    client = operator()
    client.handler.enforce_csrf_checks = True
    path = reverse("admin:forge_jobs_end_cooling", args=[row.pk])

    assert "csrfmiddlewaretoken" in text(client.get(path))
    assert client.post(path).status_code == 403
