"""What can be done to jobs: to one, to the ticked ones, to all that match a filter."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from forge_jobs import clock
from forge_jobs.clock import ManualClock
from forge_jobs.models import Event, Job, JobEvent, State
from tests.admin.conftest import ClientOf
from tests.admin.pages import LIST, text_of
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import columns, finished_job, stored_job

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def running_job() -> Job:
    return stored_job(
        state=State.RUNNING, process=process_named("here"), started_at=NOON, attempt=1
    )


def press(client: Client, button: str, job: Job, **data: str) -> Any:
    return client.post(f"{LIST}{button}/{job.pk}/", data, follow=True)


def bulk(client: Client, action: str, *ticked: Job, where: str = "", **data: Any) -> Any:
    """Post from the list: the ticked jobs, or all that match `where` if none is ticked."""
    posted = {
        "action": action,
        "select_across": "0" if ticked else "1",
        "_selected_action": [str(job.pk) for job in ticked],
    }
    return client.post(f"{LIST}?{where}", posted | data)


def confirm(client: Client, question: Any, *, where: str = "", **data: str) -> str:
    """Answer the question with what its form has; returns what the list says then."""
    hidden: dict[str, Any] = {}
    found = re.findall(
        r'<input type="hidden" name="(\w+)" value="([^"]*)"', question.content.decode()
    )
    for name, value in found:
        hidden.setdefault(name, []).append(value)
    response = client.post(f"{LIST}?{where}", hidden | data, follow=True)
    return told_by(response)


def told_by(response: Any) -> str:
    return " ".join(str(message) for message in response.context["messages"])


@pytest.mark.parametrize(
    ("button", "state", "after", "told"),
    [
        ("requeue-job", State.DEAD, State.READY, "is requeued."),
        ("requeue-job", State.SUCCEEDED, State.READY, "is requeued."),
        ("run-job-now", State.SCHEDULED, State.READY, "need not wait any longer."),
        ("run-job-now", State.RETRYING, State.READY, "need not wait any longer."),
        ("cancel-job", State.SCHEDULED, State.CANCELLED, "is cancelled."),
    ],
)
def test_a_button_asks_and_then_acts(
    operator: Client, button: str, state: State, after: State, told: str
) -> None:
    job = finished_job(state) if state in (State.DEAD, State.SUCCEEDED) else stored_job(state=state)

    assert f" {job}" in text_of(operator.get(f"{LIST}{button}/{job.pk}/"))
    assert told in told_by(press(operator, button, job))
    job.refresh_from_db()
    assert job.state == after
    assert LogEntry.objects.get(object_id=str(job.pk)).user.get_username() == "operator"


@pytest.mark.parametrize(
    ("button", "action", "event"),
    [
        ("requeue-job", "requeue", Event.REQUEUED),
        ("run-job-now", "run_now", Event.RUN_NOW),
    ],
)
def test_the_timeline_says_who_let_a_job_run(
    operator: Client, button: str, action: str, event: Event
) -> None:
    state = State.DEAD if event is Event.REQUEUED else State.SCHEDULED
    one, other = (stored_job(state=state, finished_at=NOON) for _ in range(2))

    press(operator, button, one)
    confirm(operator, bulk(operator, action, other))
    told = JobEvent.objects.filter(event=event).values_list("job_id", "by")
    assert sorted(told) == [(one.pk, "operator"), (other.pk, "operator")]


def test_a_reason_has_no_character_that_cannot_be_stored(operator: Client) -> None:
    job = stored_job()

    assert "is cancelled." in told_by(press(operator, "cancel-job", job, reason="too\0 slow"))
    job.refresh_from_db()
    assert job.cancel_reason == "too slow"


@pytest.mark.parametrize(
    ("button", "told", "is_killed"),
    [("cancel-job", "was asked to stop.", False), ("kill-job", "is being killed.", True)],
)
def test_who_stops_a_running_job_and_why_stays_with_it(
    operator: Client, button: str, told: str, is_killed: bool
) -> None:
    job = running_job()

    assert told in told_by(press(operator, button, job, reason="  too slow "))
    job.refresh_from_db()
    assert (job.state, job.is_to_be_killed) == (State.RUNNING, is_killed)
    assert (job.cancelled_by, job.cancel_reason) == ("operator", "too slow")


def test_a_deleted_job_is_gone_and_its_page_leads_back_to_the_list(operator: Client) -> None:
    job = finished_job()

    response = press(operator, "delete-job", job, back=f"{LIST}{job.pk}/change/")
    assert response.request["PATH_INFO"] == LIST
    assert f"{job} is deleted." in told_by(response)
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "button", ["requeue-job", "run-job-now", "delete-job", "cancel-job", "kill-job"]
)
def test_a_button_that_no_longer_suits_changes_nothing(operator: Client, button: str) -> None:
    suits_finished = button in ("requeue-job", "delete-job")
    job = stored_job() if suits_finished else finished_job()
    before = columns(job)

    assert "Nothing was changed" in told_by(press(operator, button, job))
    assert columns(Job.objects.get()) == before
    assert not LogEntry.objects.exists()


def test_rows_and_pages_have_the_buttons_that_suit(operator: Client) -> None:
    jobs = {
        "Requeue Delete": finished_job(),
        "Run now Cancel": stored_job(state=State.SCHEDULED),
        "Cancel": stored_job(),
        "Cancel Kill": running_job(),
    }

    for buttons, job in jobs.items():
        for address in (f"{LIST}?q=%23{job.pk}", f"{LIST}{job.pk}/change/"):
            html = operator.get(address).content.decode()
            found = re.findall(
                r'(?:href|formaction)="[^"]*-job[^"]*/\d+/\?back=.*?>([^<]+)</', html
            )
            assert " ".join(found) == buttons, address


def test_the_ticked_jobs_are_requeued(operator: Client) -> None:
    ticked = [finished_job() for _ in range(2)]
    other, ready = finished_job(), stored_job()

    question = bulk(operator, "requeue", *ticked, ready)
    asked = text_of(question)
    assert "Requeue 2 jobs?" in asked
    assert "2 jobs would be requeued." in asked
    assert f"Left out for their state: #{ready.pk} (ready)" in asked
    assert 'value="Requeue 2 jobs"' in question.content.decode()
    assert set(Job.objects.filter(state="dead")) == {*ticked, other}

    assert confirm(operator, question) == "2 jobs requeued."
    assert set(Job.objects.filter(state="dead")) == {other}
    assert {entry.object_id for entry in LogEntry.objects.all()} == {str(j.pk) for j in ticked}


@pytest.mark.parametrize(
    ("where", "words"),
    [
        ({"state": "dead", "queue": "other"}, "All jobs that match: state dead, queue other."),
        ({"kind": "app.*"}, "All jobs that match: kind app.*."),
        ({"q": "ada", "since": "24h"}, "All jobs that match: text ada, since 24h."),
        ({}, "All jobs."),
    ],
    ids=str,
)
def test_all_that_match_are_meant_in_words(
    operator: Client, where: dict[str, str], words: str
) -> None:
    finished_job(queue="other", kind="app.x", payload={"to": "ada"}, finished_at=clock.now())

    asked = text_of(bulk(operator, "requeue", where=urlencode(where)))
    assert words in asked
    assert "Requeue 1 job?" in asked


def test_all_that_match_are_changed_on_all_pages_and_no_others(operator: Client) -> None:
    for _ in range(120):
        finished_job(queue="other")
    spared = [finished_job(), stored_job(queue="other")]
    where = "queue=other&state=dead"

    question = bulk(operator, "delete", where=where)
    assert "Delete 120 jobs?" in text_of(question)
    assert Job.objects.count() == 122
    assert confirm(operator, question, where=where) == "120 jobs purged."
    assert set(Job.objects.all()) == set(spared)
    entry = LogEntry.objects.get()
    assert entry.object_repr == "All jobs that match: state dead, queue other."
    assert entry.get_change_message() == "Delete: 120 jobs purged."


def test_a_state_that_the_action_cannot_change_is_left_alone(operator: Client) -> None:
    stored_job()

    asked = text_of(bulk(operator, "requeue", where="state=ready"))
    assert "Requeue 0 jobs?" in asked
    assert "Take me back" in asked


def test_jobs_that_came_to_match_later_are_told_in_the_count(operator: Client) -> None:
    finished_job()
    question = bulk(operator, "requeue", where="state=dead")
    finished_job()

    assert "Requeue 1 job?" in text_of(question)
    assert confirm(operator, question, where="state=dead") == "2 jobs requeued."


def test_an_age_is_as_of_the_question(operator: Client, manual_clock: ManualClock) -> None:
    finished_job(finished_at=NOON - 59 * MINUTE)
    question = bulk(operator, "requeue", where="state=dead&since=1h")
    assert "Requeue 1 job?" in text_of(question)
    manual_clock.advance(5 * MINUTE)

    assert confirm(operator, question, where="state=dead&since=1h") == "1 job requeued."


def test_jobs_with_a_taken_key_are_passed_over(operator: Client) -> None:
    finished_job(dedupe_key="k")
    stored_job(dedupe_key="k")

    asked = text_of(bulk(operator, "requeue", where="state=dead"))
    assert "0 jobs would be requeued, 1 passed over because" in asked


def test_cancelling_many_keeps_who_and_why(operator: Client) -> None:
    jobs = [stored_job(), stored_job(state=State.BLOCKED), running_job()]

    question = bulk(operator, "cancel")
    assert "2 jobs would be cancelled, 1 running job would be asked to stop." in text_of(question)
    told = confirm(operator, question, reason="spring cleaning")
    assert told == "2 jobs cancelled, 1 running job asked to stop."
    for job in jobs:
        job.refresh_from_db()
        assert (job.cancelled_by, job.cancel_reason) == ("operator", "spring cleaning")


def test_killing_and_running_many(operator: Client) -> None:
    running, scheduled = running_job(), stored_job(state=State.SCHEDULED)

    question = bulk(operator, "kill", running)
    assert "1 job would be killed, 1 of them running." in text_of(question)
    assert confirm(operator, question) == "1 job killed."
    assert confirm(operator, bulk(operator, "run_now", scheduled)) == "1 job made ready."
    assert Job.objects.get(pk=running.pk).is_to_be_killed
    assert Job.objects.get(pk=scheduled.pk).state == State.READY


@pytest.mark.parametrize(
    ("data", "where", "told"),
    [
        ({"action": ""}, "", "Choose what to do"),
        ({"action": "explode"}, "", "Choose what to do"),
        ({"select_across": "0"}, "", "Tick the jobs that you mean"),
        ({"select_across": "0", "_selected_action": ["x", "9" * 30, "-1"]}, "", "Tick the jobs"),
        ({}, "state=asleep", "Nothing was done"),
        ({"confirmed": "1"}, "since=never", "Nothing was done"),
    ],
    ids=str,
)
def test_what_is_not_understood_changes_nothing(
    operator: Client, data: dict[str, Any], where: str, told: str
) -> None:
    job = finished_job()
    posted = {"action": "requeue", "select_across": "1", "confirmed": "1"}

    response = operator.post(f"{LIST}?{where}", posted | data, follow=True)
    assert told in told_by(response)
    assert Job.objects.get().state == job.state


BUTTONS = {
    "requeue-job": "retry_job",
    "run-job-now": "retry_job",
    "cancel-job": "cancel_job",
    "kill-job": "kill_job",
    "delete-job": "delete_job",
}
ACTIONS = {
    "requeue": "retry_job",
    "run_now": "retry_job",
    "cancel": "cancel_job",
    "kill": "kill_job",
    "delete": "delete_job",
}
PEOPLE: dict[str, tuple[tuple[str, ...], bool]] = {
    "a plain user": (("view_job", *BUTTONS.values()), False),
    "staff without permissions": ((), True),
    "somebody who may act but not look": (tuple(BUTTONS.values()), True),
    "a viewer": (("view_job",), True),
}


@pytest.fixture
def somebody(request: pytest.FixtureRequest, client_of: ClientOf) -> Client:
    if request.param == "anonymous":
        return Client()
    permissions, is_staff = PEOPLE[request.param]
    return client_of(*permissions, is_staff=is_staff)


@pytest.mark.parametrize("somebody", ["anonymous", *PEOPLE], indirect=True)
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("button", BUTTONS)
def test_nobody_presses_a_button_that_is_not_his(
    somebody: Client, button: str, method: str
) -> None:
    job = finished_job() if button in ("requeue-job", "delete-job") else stored_job()
    before = columns(job)

    response = getattr(somebody, method)(f"{LIST}{button}/{job.pk}/")
    assert response.status_code in (302, 403)
    assert response.status_code == 403 or "/login/" in response.headers["Location"]
    assert columns(Job.objects.get()) == before


@pytest.mark.parametrize("somebody", ["anonymous", *PEOPLE], indirect=True)
@pytest.mark.parametrize("action", ACTIONS)
def test_nobody_acts_on_many_without_the_permission(somebody: Client, action: str) -> None:
    jobs = [finished_job(), stored_job(), stored_job(state=State.SCHEDULED)]
    before = [columns(job) for job in jobs]

    for data in ({}, {"confirmed": "1"}):
        response = bulk(somebody, action, **data)
        assert response.status_code in (302, 403)
        assert response.status_code == 403 or "/login/" in response.headers["Location"]
    assert [columns(job) for job in Job.objects.order_by("pk")] == before


@pytest.mark.parametrize("action", ACTIONS)
def test_each_action_has_a_permission_of_its_own(client_of: ClientOf, action: str) -> None:
    stored_job()
    client = client_of("view_job", ACTIONS[action])
    others = {other for other, codename in ACTIONS.items() if codename != ACTIONS[action]}

    assert bulk(client, action).status_code == 200
    for other in others:
        assert bulk(client, other).status_code == 403
    html = client.get(LIST).content.decode()
    assert f'name="action" value="{action}"' in html
    assert not any(f'name="action" value="{other}"' in html for other in others)


@pytest.mark.parametrize("path", ["", "?state=dead", "{pk}/change/", "{pk}/history/"])
def test_who_may_look_sees_the_pages_and_nobody_else(client_of: ClientOf, path: str) -> None:
    address = LIST + path.format(pk=finished_job().pk)

    assert client_of("view_job", name="viewer").get(address).status_code == 200
    assert client_of(name="staff").get(address).status_code == 403
    assert "/login/" in Client().get(address).headers["Location"]
    plain = client_of("view_job", is_staff=False, name="plain")
    assert "/login/" in plain.get(address).headers["Location"]


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_jobs_are_neither_added_nor_deleted_in_django_s_own_way(
    operator: Client, path: str
) -> None:
    address = LIST + path.format(pk=finished_job().pk)

    assert operator.get(address).status_code == 403
    assert operator.post(address, {"post": "yes"}).status_code == 403
    assert Job.objects.count() == 1


def test_a_viewer_sees_no_button_and_no_tick(viewer: Client) -> None:
    job = finished_job()

    for address in (LIST, f"{LIST}{job.pk}/change/"):
        html = viewer.get(address).content.decode()
        assert "Requeue" not in html
        assert "_selected_action" not in html


def test_a_get_changes_nothing(operator: Client) -> None:
    jobs = [finished_job(), stored_job(state=State.SCHEDULED), running_job()]
    before = [columns(job) for job in jobs]

    for job in jobs:
        for button in BUTTONS:
            assert operator.get(f"{LIST}{button}/{job.pk}/").status_code == 200
        assert operator.get(f"{LIST}{job.pk}/change/").status_code == 200
    for action in ACTIONS:
        posted = {"action": action, "select_across": "1", "confirmed": "1"}
        assert operator.get(LIST, posted).status_code == 200
    assert [columns(job) for job in Job.objects.order_by("pk")] == before
    assert not LogEntry.objects.exists()


def test_a_post_needs_its_token(operator: Client) -> None:
    job = finished_job()
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = operator.cookies

    assert press(strict, "requeue-job", job).status_code == 403
    assert bulk(strict, "requeue", job, confirmed="1").status_code == 403
    assert Job.objects.get().state == State.DEAD
