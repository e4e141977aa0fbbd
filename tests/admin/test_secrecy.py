"""What nobody should read stands on no page, in no form, and can't be found out by a search."""

import json
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from forge_jobs import job
from forge_jobs.models import Job, Schedule
from forge_jobs.redaction import MASK
from tests.admin.pages import LIST, job_page, listed, listing
from tests.admin.people import LIVE, browser, filled, operator, text
from tests.planned import planned_schedule
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

SECRET = "hunter2 Passwort"
SCHEDULES = "/admin/forge_jobs/schedule/"
HIDING = {"Password": SECRET, "user": "ada", "more": [{"token": SECRET}]}


@pytest.fixture(autouse=True)
def _hidden(settings: Settings) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "REDACT": ["password", "schlüssel"]}

    @job(kind="tests.login", redact=("TOKEN",))
    def login(**payload: Any) -> None: ...

    @job(kind="tests.other")
    def other(**payload: Any) -> None: ...


def test_a_job_page_hides_them_in_payload_result_and_context() -> None:
    row = finished_job(
        kind="tests.login", payload=HIDING, result={"token": SECRET}, context={"PASSWORD": SECRET}
    )
    client = operator()

    page = job_page(client, row.pk)
    live = text(client.get(f"{LIST}{row.pk}/change/", headers=LIVE))
    assert "ada" in page
    assert page.count(MASK) == 4
    assert SECRET not in page
    assert SECRET not in live


@pytest.mark.parametrize("word", [SECRET, "hunter", "2 Pass"])
def test_no_search_finds_a_job_by_what_is_hidden(word: str) -> None:
    stored_job(kind="tests.login", payload=HIDING)
    stored_job(kind="tests.login", payload={"token": SECRET})
    stored_job(kind="app.noop", payload={"deep": [{"pAssword": {"is": SECRET}}]})
    stored_job(kind="app.noop", payload={"Schlüssel": SECRET})

    assert listed(operator(), q=word) == []
    assert SECRET not in listing(operator("bob"), q=word)


def test_a_search_finds_others_by_the_same_word() -> None:
    plain = stored_job(kind="tests.other", payload={"token": SECRET})
    quoting = stored_job(kind="tests.login", payload={"text": f'"token": {SECRET}'})
    failed = finished_job(kind="tests.login", payload=HIDING, last_error="no such user")
    client = operator()

    assert listed(client, q=SECRET) == [quoting.pk, plain.pk]
    assert listed(client, q="no such user") == [failed.pk]


def test_no_action_tells_how_many_jobs_have_what_is_hidden() -> None:
    stored_job(kind="tests.login", payload=HIDING)
    posted = {"action": "cancel", "select_across": "1", "confirmed": "1"}

    response = operator().post(f"{LIST}?q=hunter", posted, follow=True)
    assert "0 jobs cancelled" in text(response)


def form_of(client: Client, row: Schedule, **changes: str) -> Any:
    path = f"{SCHEDULES}{row.pk}/change/"
    return client.post(path, filled(client, path, **changes))


def test_a_form_hides_them_and_keeps_what_was_left_alone() -> None:
    row = planned_schedule(kind="tests.login", payload=HIDING)
    client = operator()
    page = text(client.get(f"{SCHEDULES}{row.pk}/change/"))

    assert SECRET not in page
    assert form_of(client, row, priority="7").status_code == 302
    assert Schedule.objects.get().payload == HIDING
    changed = {"Password": MASK, "user": "bob", "more": [{"token": "new"}]}
    assert form_of(client, row, payload=json.dumps(changed)).status_code == 302
    assert Schedule.objects.get().payload == {**changed, "Password": SECRET}


@pytest.mark.parametrize(
    "changes",
    [
        {"payload": json.dumps({"user": "ada", "token": MASK})},
        {"kind": "tests.other"},
    ],
    ids=["a mask where nothing was", "a kind that hides less"],
)
def test_a_form_lets_nobody_find_out_what_is_hidden(changes: dict[str, str]) -> None:
    row = planned_schedule(kind="tests.login", payload=HIDING)

    response = form_of(operator(), row, **changes)
    assert response.status_code == 200
    assert "payload" in response.context["adminform"].form.errors
    assert SECRET not in text(response)
    assert Schedule.objects.get().payload == HIDING


def test_whoever_may_only_look_sees_no_more() -> None:
    row = planned_schedule(kind="tests.login", payload=HIDING)
    page = text(browser("view_schedule").get(f"{SCHEDULES}{row.pk}/change/"))

    assert "ada" in page
    assert SECRET not in page
    assert SECRET not in text(operator("bob").get(SCHEDULES))


def test_a_schedule_makes_jobs_with_what_is_hidden() -> None:
    row = planned_schedule(kind="tests.login", payload=HIDING)

    assert operator().post(f"{SCHEDULES}trigger-schedule/{row.pk}/").status_code == 302
    assert Job.objects.get().payload == HIDING
