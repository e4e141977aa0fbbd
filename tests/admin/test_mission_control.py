"""What all pages of Mission Control have in common, seen on its overview and on a job."""

import sqlite3
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client

from forge_jobs import clock
from forge_jobs.models import Job, MetricSample, State
from tests.admin.conftest import ClientOf
from tests.admin.pages import text_of
from tests.factories import process_named
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

OVERVIEW = "/admin/forge_jobs/missioncontrol/"
JSON = {"Accept": "application/json"}


def cancel_url(job: Job) -> str:
    return f"/admin/forge_jobs/job/cancel-job/{job.pk}/"


def test_it_stands_in_the_index_of_the_admin_for_whoever_may_see_jobs(client_of: ClientOf) -> None:
    link = f'<a href="{OVERVIEW}"'

    assert link in client_of("view_job").get("/admin/").content.decode()
    assert link not in client_of().get("/admin/").content.decode()


@pytest.mark.parametrize("url", [OVERVIEW, "/admin/forge_jobs/missioncontrol/health/"])
def test_nobody_sees_a_page_without_the_permission(client_of: ClientOf, url: str) -> None:
    assert Client().get(url).status_code == 302
    assert client_of("view_job", is_staff=False).get(url).status_code == 302
    assert client_of().get(url).status_code == 403
    assert client_of("view_job").get(url).status_code == 200


def test_only_the_tabs_that_somebody_may_open_are_shown(client_of: ClientOf) -> None:
    page = client_of("view_job", "view_queue").get(OVERVIEW).content.decode()

    assert 'href="/admin/forge_jobs/queue/"' in page
    assert 'href="/admin/forge_jobs/process/"' not in page
    assert f'href="{OVERVIEW}" aria-current="page"' in page


def test_the_overview_counts_what_the_database_has(operator: Client) -> None:
    stored_job()
    stored_job(queue="other")
    finished_job(State.DEAD)
    context = operator.get(OVERVIEW).context
    backlog = context["backlog"]

    assert (backlog[State.READY], backlog[State.RUNNING], context["kept_dead"]) == (2, 0, 1)


def test_a_narrowing_that_no_database_could_store_finds_nothing(operator: Client) -> None:
    for narrowing in ({"queue": "a\0"}, {"kind": "a\0"}, {"window": "\0"}):
        assert operator.get(OVERVIEW, narrowing).status_code == 200


def test_a_script_that_asks_for_json_gets_the_live_parts_alone(operator: Client) -> None:
    stored_job()
    news = operator.get(OVERVIEW, headers=JSON).json()

    assert 'data-live="overview"' in news["html"]
    assert "<html" not in news["html"]
    assert news["charts"]["jobs"]["unit"] == "count"


def test_what_a_table_says_is_shown_as_text(operator: Client) -> None:
    stored_job(queue="<script>alert(1)</script>")
    page = operator.get(OVERVIEW).content.decode()

    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_a_button_asks_first_and_changes_nothing_by_get(operator: Client) -> None:
    job = stored_job()
    page = operator.get(cancel_url(job))

    assert f"Cancel {job}?" in page.content.decode()
    assert Job.objects.get().state == State.READY


def test_a_button_acts_by_post_says_so_and_notes_it_in_the_admins_log(operator: Client) -> None:
    job = stored_job()
    page = operator.post(cancel_url(job), {"reason": "not today"}, follow=True)

    assert f"#{job.pk} is cancelled." in page.content.decode()
    job.refresh_from_db()
    told = (job.state, job.cancel_reason, job.cancelled_by)
    assert told == (State.CANCELLED, "not today", "operator")
    entry = LogEntry.objects.get()
    assert (entry.object_id, str(entry.user)) == (str(job.pk), "operator")
    assert "cancelled" in entry.change_message


def test_a_button_that_comes_too_late_says_so_and_notes_nothing(operator: Client) -> None:
    job = finished_job(State.SUCCEEDED)
    page = operator.post(cancel_url(job), follow=True)

    assert "Nothing was changed" in page.content.decode()
    assert not LogEntry.objects.exists()


def test_nobody_presses_a_button_without_the_permission(client_of: ClientOf) -> None:
    job = stored_job()
    viewer = client_of("view_job")

    page = viewer.get(f"/admin/forge_jobs/job/{job.pk}/change/").content.decode()
    assert cancel_url(job) not in page
    for answer in (viewer.get(cancel_url(job)), viewer.post(cancel_url(job))):
        assert answer.status_code == 403
    assert client_of("cancel_job").post(cancel_url(job)).status_code == 403
    assert Client().post(cancel_url(job)).status_code == 302
    assert Job.objects.get().state == State.READY


def test_a_post_without_the_token_is_refused(client_of: ClientOf) -> None:
    job = stored_job()
    client = client_of("view_job", "cancel_job")
    client.handler.enforce_csrf_checks = True

    assert client.post(cancel_url(job)).status_code == 403
    assert Job.objects.get().state == State.READY


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "javascript:x"])
def test_the_way_back_never_leads_elsewhere(operator: Client, back: str) -> None:
    job = stored_job()
    answer = operator.post(cancel_url(job), {"back": back})

    assert answer["Location"] == f"/admin/forge_jobs/job/{job.pk}/change/"


def test_the_way_back_leads_to_where_the_button_was(operator: Client) -> None:
    answer = operator.post(cancel_url(stored_job()), {"back": "/admin/forge_jobs/job/?q=x"})

    assert answer["Location"] == "/admin/forge_jobs/job/?q=x"


def test_a_job_that_is_gone_is_not_found(operator: Client) -> None:
    assert operator.get("/admin/forge_jobs/job/cancel-job/99/").status_code == 404


@pytest.mark.parametrize(("version", "is_told"), [((3, 40, 1), True), ((3, 53, 0), False)], ids=str)
def test_health_tells_of_a_fault_of_this_sqlite(
    operator: Client, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], is_told: bool
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", ".".join(map(str, version)))

    page = text_of(operator.get("/admin/forge_jobs/missioncontrol/health/"))
    is_concerned = is_told and connection.vendor == "sqlite"
    assert ("SQLite 3.40.1 has a fault in WAL mode" in page) == is_concerned


def test_the_verdict_is_the_first_word_of_overview_and_health(operator: Client) -> None:
    for url in (OVERVIEW, f"{OVERVIEW}health/"):
        page = operator.get(url).content.decode()
        assert 'data-live="verdict" data-state="trouble"' in page
        assert "No process beats, or none has for 30 s." in page
        assert page.index("No process beats") < page.index("mc-tile")
        assert 'data-live="verdict"' in operator.get(url, headers=JSON).json()["html"]

    process_named("here", heartbeat_at=clock.now(), queues=["default"])
    page = operator.get(OVERVIEW).content.decode()
    assert 'data-live="verdict" data-state="live"' in page
    assert "All is well." in page


def test_what_is_nothing_has_no_colour(operator: Client) -> None:
    stored_job()
    page = operator.get(OVERVIEW).content.decode()

    assert '<li class="mc-tile" data-key="ready" data-state="ready"' in page
    for name in ("retrying", "dead"):
        assert f'<li class="mc-tile" data-key="{name}"' in page
        assert f'<li class="mc-tile" data-key="{name}" data-state' not in page


def test_the_tiles_are_of_the_queue_and_the_window_that_are_chosen(operator: Client) -> None:
    stored_job()
    stored_job(queue="other")
    finished_job(queue="other")
    MetricSample.objects.create(
        at=clock.now() - timedelta(seconds=15), queue="other", kind="app.noop", succeeded=5, dead=1
    )

    context = operator.get(OVERVIEW, {"queue": "other", "window": "1h"}).context
    assert (context["backlog"][State.READY], context["kept_dead"]) == (1, 1)
    numbers = {outcome.name: outcome.number for outcome in context["outcomes"]}
    assert (numbers["succeeded"], numbers["dead"], numbers["retried"]) == (5, 1, 0)
    (dead,) = [outcome for outcome in context["outcomes"] if outcome.name == "dead"]
    assert dead.query == "state=dead&since=1h&queue=other"
    assert operator.get(OVERVIEW, {"queue": "default"}).context["kept_dead"] == 0
    assert operator.get(f"/admin/forge_jobs/job/?{dead.query}").status_code == 200


def test_messages_begin_with_a_word_and_not_with_a_name(operator: Client) -> None:
    job = finished_job()
    page = operator.post(f"/admin/forge_jobs/job/requeue-job/{job.pk}/", follow=True)

    (told,) = page.context["messages"]
    assert str(told).startswith(f"Job {job} is requeued.")
