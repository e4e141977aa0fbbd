"""The page of one job: all that there is to know, and the log of what was done to it."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from forge_jobs.clock import ManualClock
from forge_jobs.models import Job, JobLabel, State
from tests.admin.pages import LIST, job_page
from tests.conftest import NOON
from tests.factories import process_named
from tests.plans import walks
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
EVIL = "<script>alert(1)</script>"
on_sqlite = pytest.mark.skipif(connection.vendor != "sqlite", reason="SQLite only")


def error(attempt: int, message: str, traceback: str = "") -> dict[str, Any]:
    at = (NOON - attempt * MINUTE).isoformat()
    return {"at": at, "attempt": attempt, "message": message, "traceback": traceback}


def html_of(client: Client, job: Job) -> str:
    return client.get(f"{LIST}{job.pk}/change/").content.decode()


def test_payload_result_and_context_are_shown_as_json(viewer: Client) -> None:
    columns = {"payload": {"to": "Zoë"}, "result": {"sent": True}, "context": {"trace": "t-1"}}
    told = job_page(viewer, finished_job(State.SUCCEEDED, **columns).pk)

    for title, line in (("Payload", '"to": "Zoë"'), ("Result", '"sent": true'), ("Context", "t-1")):
        assert title in told
        assert line in told


def test_a_result_of_null_and_an_empty_context_are_left_out(viewer: Client) -> None:
    told = job_page(viewer, stored_job().pk)

    assert "Payload" in told
    assert "Result" not in told
    assert "Context" not in told


def test_long_json_is_folded(viewer: Client) -> None:
    html = html_of(viewer, stored_job(payload={"rows": list(range(50))}))

    assert "<summary>54 lines</summary>" in html


def test_every_error_has_its_attempt_message_and_traceback(viewer: Client) -> None:
    errors = [error(1, "refused", "Traceback 1"), error(2, "timed out", "Traceback 2")]
    told = job_page(viewer, finished_job(errors=errors, last_error="timed out").pk)

    assert told.index("Attempt 2 timed out") < told.index("Attempt 1 refused")
    assert "Traceback 1" in told
    assert "Traceback 2" in told


def test_an_error_that_stands_nowhere_else_is_shown(viewer: Client) -> None:
    assert "half done" in job_page(viewer, finished_job(last_error="half done").pk)


def test_the_timeline_goes_from_the_enqueue_to_what_is_to_come(
    viewer: Client, manual_clock: ManualClock
) -> None:
    job = stored_job(
        state=State.RETRYING,
        enqueued_at=NOON - 10 * MINUTE,
        started_at=NOON - 5 * MINUTE,
        attempt=1,
        errors=[error(1, "refused")],
        run_at=NOON + 3 * MINUTE,
    )

    told = job_page(viewer, job.pk)
    told = told[told.index("Timeline") :]
    places = [
        told.index(words)
        for words in (
            "Enqueued",
            "Attempt 1 began",
            "Attempt 1 failed",
            "refused",
            "Due",
            "in 3 min",
        )
    ]
    assert places == sorted(places)


def test_the_timeline_says_who_asked_a_job_to_stop_and_why(viewer: Client) -> None:
    columns: dict[str, Any] = {
        "cancel_requested_at": NOON,
        "finished_at": NOON + MINUTE,
        "cancelled_by": "ada",
        "cancel_reason": "too slow",
    }
    told = job_page(viewer, finished_job(State.CANCELLED, **columns).pk)

    assert "Asked to stop" in told
    assert "by ada: too slow" in told


def test_the_labels_of_a_job_lead_to_others(viewer: Client) -> None:
    job = stored_job()
    assert "Labels" not in job_page(viewer, job.pk)

    JobLabel.objects.put([(job.pk, ["customer:7", "import"])])
    assert "Labels customer:7 import" in job_page(viewer, job.pk)


def test_the_facts_are_those_of_the_row(viewer: Client) -> None:
    process = process_named("worker-7")
    job = stored_job(
        state=State.RUNNING,
        process=process,
        started_at=NOON,
        priority=3,
        attempt=2,
        max_attempts=None,
        timeout_seconds=90,
        dedupe_key="once",
        idempotency_key="order 5",
        concurrency_key="customer",
        concurrency_limit=2,
        concurrency_slot=1,
    )

    told = job_page(viewer, job.pk)
    for words in ("Priority 3", "2 of any number", "1 min 30 s", "worker-7", "once", "order 5"):
        assert words in told
    assert "customer (slot 1 of 2)" in told


def test_a_waiting_job_says_why(viewer: Client) -> None:
    told = job_page(viewer, stored_job().pk)

    assert "Why is it not running? No process is live" in told


def test_jobs_with_the_same_key_are_neighbours(viewer: Client) -> None:
    keys: dict[str, Any] = {"concurrency_key": "k", "concurrency_limit": 1}
    holder = stored_job(concurrency_slot=1, **keys)
    waiting = [stored_job(state=State.BLOCKED, **keys) for _ in range(15)]
    finished_job(**keys)

    html = html_of(viewer, waiting[-1])
    assert f"#{holder.pk}</a>" in html
    assert html.count('<li data-key="') - html.count('<li data-key="history"') == 10


def test_the_log_of_a_job_is_on_its_page_and_in_its_history(operator: Client) -> None:
    job = finished_job()
    operator.post(f"{LIST}requeue-job/{job.pk}/")

    assert "Who did what to it operator" in job_page(operator, job.pk)
    history = operator.get(f"{LIST}{job.pk}/history/").content.decode()
    assert "is requeued." in history


def test_a_job_that_is_not_there_leads_to_the_list(viewer: Client) -> None:
    for pk in ("4711", "abc", "9" * 30):
        response = viewer.get(f"{LIST}{pk}/change/", follow=True)
        assert response.request["PATH_INFO"] == LIST
        assert "There is no job #" in response.content.decode()


def test_a_post_to_the_page_changes_nothing(operator: Client) -> None:
    job = finished_job()

    operator.post(f"{LIST}{job.pk}/change/", {"queue": "other", "state": "ready"})
    assert Job.objects.get().state == State.DEAD


def test_markup_is_shown_as_text_wherever_it_stands(viewer: Client) -> None:
    job = finished_job(
        kind=EVIL,
        payload={EVIL: EVIL},
        result=EVIL,
        context={"a": EVIL},
        errors=[error(1, EVIL, EVIL)],
        last_error=EVIL,
        cancel_requested_at=NOON,
        cancel_reason=EVIL,
        cancelled_by=EVIL,
        concurrency_key=EVIL,
        concurrency_limit=1,
        dedupe_key=EVIL,
        idempotency_key=EVIL,
    )
    stored_job(kind=EVIL, state=State.BLOCKED, concurrency_key=EVIL, concurrency_limit=1)

    html = html_of(viewer, job)
    assert EVIL not in html
    assert html.count("&lt;script&gt;") > 10


def test_markup_in_the_name_of_a_process_is_shown_as_text(viewer: Client) -> None:
    process = process_named(EVIL)
    job = stored_job(state=State.RUNNING, process=process, started_at=NOON)

    assert EVIL not in html_of(viewer, job)
    assert EVIL in job_page(viewer, job.pk)


def test_the_script_gets_the_live_parts_of_the_page(viewer: Client) -> None:
    job = stored_job()

    response = viewer.get(f"{LIST}{job.pk}/change/", headers={"accept": "application/json"})
    html = json.loads(response.content)["html"]
    for part in ("head", "diagnosis", "facts", "timeline", "documents", "errors", "log"):
        assert f'data-live="{part}"' in html
    assert "<html" not in html


@on_sqlite
def test_no_query_of_the_page_reads_the_whole_table(viewer: Client) -> None:
    columns = {"concurrency_key": "k", "concurrency_limit": 1, "dedupe_key": "d"}
    job = stored_job(state=State.BLOCKED, **columns)

    assert walks(lambda: viewer.get(f"{LIST}{job.pk}/change/")) == []
