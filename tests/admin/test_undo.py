"""Buttons that act at once, and the way back: true for a while, until something else happens."""

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.test import Client

from forge_jobs.admin import undo
from forge_jobs.clock import ManualClock
from forge_jobs.models import Event, Job, JobEvent, Process, Queue, Schedule, State
from tests.admin.conftest import ClientOf
from tests.admin.pages import LIST
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import claim, columns, finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

JSON = {"Accept": "application/json"}
MINUTE = timedelta(minutes=1)


@pytest.fixture
def queue() -> Queue:
    row: Queue = Queue.objects.create(name="default")
    return row


@pytest.fixture
def steering(client_of: ClientOf) -> Client:
    return client_of("view_queue", "pause_queue", "view_job", "retry_job", name="ada")


def press(client: Client, address: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.post(address, headers=JSON).json()
    return answer


def pause(client: Client, queue: Queue) -> dict[str, Any]:
    return press(client, f"/admin/forge_jobs/queue/pause-queue/{queue.pk}/")


def requeue(client: Client, job: Job) -> dict[str, Any]:
    return press(client, f"{LIST}requeue-job/{job.pk}/")


def test_a_script_is_told_in_json_what_came_of_it_and_the_way_back(
    steering: Client, queue: Queue
) -> None:
    answer = pause(steering, queue)

    assert (answer["told"], answer["tone"]) == ("The queue default is paused.", "success")
    assert answer["undo"].startswith(f"/admin/forge_jobs/queue/resume-queue/{queue.pk}/?")
    assert pause(steering, queue) == {
        "told": "Nothing was changed: default is no longer as it was.",
        "tone": "warning",
        "undo": "",
    }


def test_without_a_script_the_message_has_the_way_back(steering: Client, queue: Queue) -> None:
    address = f"/admin/forge_jobs/queue/pause-queue/{queue.pk}/?back=/admin/forge_jobs/queue/"
    page = steering.post(address, follow=True).content.decode()

    (way,) = re.findall(r'form="mc-acts" formaction="([^"]*)" class="mc-undo"', page)
    assert "The queue default is paused." in page
    assert '<form method="post" id="mc-acts"' in page
    page = steering.post(unescape(way), follow=True).content.decode()
    assert "The queue default is resumed." in page
    queue.refresh_from_db()
    assert not queue.is_paused


def test_what_acts_at_once_is_a_button_and_what_asks_is_a_link(steering: Client) -> None:
    job = finished_job()
    html = steering.get(LIST).content.decode()

    assert re.search(rf'<button type="submit" form="mc-acts" formaction="{LIST}requeue-job', html)
    assert f"Requeue {job}?" in steering.get(f"{LIST}requeue-job/{job.pk}/").content.decode()


def test_a_pause_is_undone_once(steering: Client, queue: Queue) -> None:
    way = pause(steering, queue)["undo"]

    assert press(steering, way)["told"] == "The queue default is resumed."
    assert "It is too late" in press(steering, way)["told"]
    queue.refresh_from_db()
    assert not queue.is_paused


def test_an_undo_leaves_alone_what_somebody_else_has_done_since(
    steering: Client, client_of: ClientOf, queue: Queue
) -> None:
    colleague = client_of("view_queue", "pause_queue", name="bea")
    way = pause(steering, queue)["undo"]
    press(colleague, f"/admin/forge_jobs/queue/resume-queue/{queue.pk}/")
    pause(colleague, queue)

    answer = press(steering, way)
    assert answer["told"] == "It is too late to undo that: bea has changed default since then."
    assert answer["tone"] == "error"
    queue.refresh_from_db()
    assert queue.is_paused


def test_an_undo_is_good_for_an_hour(
    steering: Client, queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    way = pause(steering, queue)["undo"]
    monkeypatch.setattr(undo, "GOOD_FOR_SECONDS", -1)

    assert press(steering, way)["told"] == "It is too late to undo that."


def test_nobody_makes_up_an_undo_or_uses_that_of_another_row(
    steering: Client, queue: Queue
) -> None:
    other = Queue.objects.create(name="other", is_paused=True)
    way = pause(steering, queue)["undo"]

    for address in (way.replace(f"/{queue.pk}/", f"/{other.pk}/"), f"{way}x"):
        assert press(steering, address)["told"] == "It is too late to undo that."
    other.refresh_from_db()
    assert other.is_paused


def test_nobody_undoes_without_the_permission(
    steering: Client, client_of: ClientOf, queue: Queue
) -> None:
    way = pause(steering, queue)["undo"]

    assert client_of("view_queue").post(way, headers=JSON).status_code == 403
    assert Client().post(way, headers=JSON).status_code == 302


@pytest.mark.parametrize("state", [State.DEAD, State.CANCELLED, State.SUCCEEDED])
def test_a_requeue_is_undone_until_it_begins(steering: Client, state: State) -> None:
    job = finished_job(
        state,
        last_error="ValueError: bad",
        process_name="web.1",
        cancel_requested_at=NOON - MINUTE,
        cancel_reason="no use",
        cancelled_by="bea",
    )
    before = columns(job, without=("run_at",))
    way = requeue(steering, job)["undo"]

    told = press(steering, way)["told"]
    assert told == f"The requeue of {job} is undone: it is {state}, as before."
    assert columns(Job.objects.get(), without=("run_at",)) == before
    assert [entry.user for entry in LogEntry.objects.all()] == [User.objects.get()] * 2
    events = JobEvent.objects.order_by("pk").values_list("event", "by", "detail")
    assert list(events) == [
        (Event.REQUEUED, "ada", ""),
        (Event.REQUEUED, "ada", "taken back"),
    ]


def test_an_undo_that_comes_after_the_job_has_begun_says_so(steering: Client) -> None:
    job = finished_job()
    way = requeue(steering, job)["undo"]
    claim(process_named("here"))

    answer = press(steering, way)
    assert answer["told"] == f"It is too late to undo that: {job} has begun."
    assert answer["tone"] == "error"
    assert Job.objects.get().state == State.RUNNING


@pytest.mark.parametrize("state", [State.READY, State.SUCCEEDED, State.DEAD])
def test_it_is_too_late_after_a_run_whatever_that_came_to(steering: Client, state: State) -> None:
    job = finished_job()
    way = requeue(steering, job)["undo"]
    requeued = Job.objects.get()
    if state == State.READY:  # given back in the midst of its run
        JobEvent.objects.note([job.pk], Event.STARTED, at=requeued.run_at)
    else:
        Job.objects.update(state=state, attempt=1, started_at=NOON, finished_at=NOON)

    assert "It is too late" in press(steering, way)["told"]
    assert Job.objects.get().state == state


def test_a_second_requeue_makes_the_first_undo_void(
    steering: Client, manual_clock: ManualClock
) -> None:
    job = finished_job()
    way = requeue(steering, job)["undo"]
    Job.objects.update(state=State.DEAD, finished_at=NOON)
    manual_clock.advance(MINUTE)
    Job.objects.get().requeue()

    assert "It is too late" in press(steering, way)["told"]
    assert Job.objects.get().state == State.READY


def test_a_requeue_that_has_dropped_a_result_has_no_way_back(steering: Client) -> None:
    job = finished_job(State.SUCCEEDED, result={"size": 3})

    answer = requeue(steering, job)
    assert (answer["told"], answer["undo"]) == (f"Job {job} is requeued.", "")


def test_an_undone_requeue_passes_its_concurrency_key_on(steering: Client) -> None:
    key: dict[str, Any] = {"concurrency_key": "account 7", "concurrency_limit": 1}
    job = finished_job(**key)
    way = requeue(steering, job)["undo"]
    waiting = stored_job(state=State.BLOCKED, **key)
    Job.objects.filter(pk=job.pk).update(state=State.READY, concurrency_slot=1)

    assert "is undone" in press(steering, way)["told"]
    waiting.refresh_from_db()
    job.refresh_from_db()
    assert (job.state, job.concurrency_slot) == (State.DEAD, None)


def test_a_schedule_and_a_process_have_a_way_back_too(client_of: ClientOf) -> None:
    client = client_of("view_schedule", "trigger_schedule", "view_process", "stop_process")
    schedule = Schedule.objects.create(name="nightly", kind="app.noop", expression="0 3 * * *")
    process: Process = process_named("here")

    way = press(client, f"/admin/forge_jobs/schedule/disable-schedule/{schedule.pk}/")["undo"]
    assert press(client, way)["told"] == "Schedule nightly is enabled."
    way = press(client, f"/admin/forge_jobs/process/quiet-process/{process.pk}/")["undo"]
    assert press(client, way)["told"] == "Process here may claim jobs again."


def test_what_cannot_be_undone_asks_first(client_of: ClientOf) -> None:
    client = client_of("view_job", "cancel_job", "kill_job", "delete_job")
    finished_job()
    stored_job()
    html = client.get(LIST).content.decode()

    assert "Delete" in html
    assert "Cancel" in html
    assert 'form="mc-acts"' not in html.replace('class="mc-undo"', "").split("mc-toast")[0]
