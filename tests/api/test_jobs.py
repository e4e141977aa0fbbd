"""Jobs by HTTP: what is told of them, to whom nothing is shown, and what is done to them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.models import LogEntry

from forge_jobs import job
from forge_jobs.api.jobs import FILTERS
from forge_jobs.models import Job, JobEvent, JobLabel, State
from forge_jobs.redaction import MASK
from tests.api.callers import Caller, in_session, program, superuser
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

ACTS = ("retry_job", "cancel_job", "kill_job", "delete_job")
SECRET = "hunter2 Passwort"


@pytest.fixture
def caller() -> Caller:
    return program("view_job", *ACTS)


def ids(answer: Any) -> list[int]:
    return [one["id"] for one in answer.json()["jobs"]]


def test_a_list_goes_from_page_to_page_and_back(caller: Caller) -> None:
    jobs = [stored_job().pk for _ in range(5)][::-1]
    first = caller.get("/jobs?limit=2")
    second = caller.get(f"/jobs?limit=2&after={first.json()['next']}")
    last = caller.get(f"/jobs?limit=2&after={second.json()['next']}")
    back = caller.get(f"/jobs?limit=2&before={last.json()['previous']}")

    assert ids(first) + ids(second) + ids(last) == jobs
    assert ids(back) == ids(second)
    assert (first.json()["previous"], last.json()["next"]) == (None, None)


@pytest.mark.parametrize(
    "asked",
    [
        "state=dead",
        "kind=shop.*",
        "kind=shop.receipt",
        "queue=other",
        "label=checkout",
        "error=Boom",
        "error=Bo*",
        "q=4711",
        "since=2026-03-02T00:00:00Z&state=dead",
    ],
)
def test_each_filter_of_mission_control_is_one_here(caller: Caller, asked: str) -> None:
    stored_job()
    sought = finished_job(
        kind="shop.receipt", queue="other", payload={"order": 4711}, last_error="Boom\nmore"
    )
    JobLabel.objects.put([(sought.pk, ["checkout"])])

    assert ids(caller.get(f"/jobs?{asked}")) == [sought.pk]
    assert ids(caller.get(f"/jobs?q=%23{sought.pk}")) == [sought.pk]


def test_a_moment_is_told_to_the_microsecond_and_finds_its_job_again(caller: Caller) -> None:
    job = finished_job()
    Job.objects.filter(pk=job.pk).update(enqueued_at=NOON + timedelta(microseconds=123_456))
    (told,) = caller.get("/jobs").json()["jobs"]

    assert told["enqueued_at"] == "2026-03-02T12:00:00.123456+00:00"
    for asked, found in (("since", [job.pk]), ("until", [])):
        assert ids(caller.get(f"/jobs?{urlencode({asked: told['enqueued_at']})}")) == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("kind=shop.a_b", ["a_b"]),
        ("kind=shop.a_*", ["a_b"]),
        ("kind=shop.%25*", ["%"]),
        ("kind=%25", []),
        ("kind=SHOP.*", []),
        ("label=a_b", ["a_b"]),
        ("label=%25", ["%"]),
        ("error=a_*", ["a_b"]),
        ("error=%25", ["%"]),
        ("q=%25", ["%"]),
        ("q=_", ["a_b"]),
        ("q=%5C", ["\\"]),
        ("since=2999-01-01", []),
        ("until=0001-01-01T00:00:00Z", []),
        ("until=2999-01-01T00:00:00", ["axb", "a_b", "\\", "%"]),
    ],
)
def test_what_is_sought_has_no_wildcards_but_a_star_at_its_end(
    caller: Caller, asked: str, found: list[str]
) -> None:
    named = {}
    for text in ("%", "\\", "a_b", "axb"):
        row = finished_job(kind=f"shop.{text}", payload={"text": "x"}, last_error=text)
        JobLabel.objects.put([(row.pk, [text])])
        named[row.pk] = text

    assert [named[pk] for pk in ids(caller.get(f"/jobs?{asked}"))] == found


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        *((f"{name}=", name) for name in (*FILTERS, "limit")),
        ("kind=%20", "kind"),
        ("q=%20%20", "q"),
        ("kind=a&kind=b", "kind"),
        ("limit=1&limit=1", "limit"),
        ("kinds=a", "kinds"),
        ("batch=1e3", "batch"),
        ("since=1767225600", "since"),
        ("until=2026-02-30", "until"),
    ],
)
def test_what_may_have_been_meant_otherwise_is_refused_by_its_name(
    caller: Caller, asked: str, field: str
) -> None:
    answer = caller.get(f"/jobs?{asked}")

    assert answer.status_code == 422
    (told,) = answer.json()["errors"]
    assert told["field"] == field
    assert "Value error" not in told["reason"]


def test_pages_go_on_where_they_were_while_rows_come_change_and_go(caller: Caller) -> None:
    jobs = [finished_job().pk for _ in range(6)][::-1]
    first = caller.get("/jobs?limit=2").json()
    Job.objects.filter(pk=jobs[1]).delete()  # the last of that page
    Job.objects.filter(pk=jobs[2]).delete()  # the next
    Job.objects.filter(pk=jobs[3]).update(state=State.READY, finished_at=None)
    stored_job()

    second = caller.get(f"/jobs?limit=2&after={first['next']}").json()
    third = caller.get(f"/jobs?limit=2&after={second['next']}").json()
    seen = [one["id"] for page in (first, second, third) for one in page["jobs"]]
    assert seen == [jobs[0], jobs[1], *jobs[3:]]
    assert third["next"] is None


def test_all_of_a_job_is_told_and_what_nobody_should_read_is_not(caller: Caller) -> None:
    @job(kind="tests.login", redact=["password"])
    def login(**payload: Any) -> None: ...

    hidden = {"Password": SECRET, "user": "ada", "more": [{"password": SECRET}]}
    row = finished_job(kind="tests.login", payload=hidden, result=hidden, context=hidden)
    answer = caller.get(f"/jobs/{row.pk}")
    told = answer.json()

    assert SECRET not in answer.content.decode()
    for name in ("payload", "result", "context"):
        assert told[name] == {"Password": MASK, "user": "ada", "more": [{"password": MASK}]}
    assert (told["id"], told["state"], told["attempt"]) == (row.pk, "dead", 3)
    assert told["finished_at"] == "2026-03-02T12:00:00+00:00"
    assert ids(caller.get("/jobs?q=hunter2")) == []


def test_a_value_is_told_as_deep_as_it_can_be_stored(caller: Caller) -> None:
    deep: Any = 1
    for _ in range(198):
        deep = [deep]
    row = finished_job(payload={"deep": deep}, result=deep)

    told = caller.get(f"/jobs/{row.pk}").json()
    assert (told["payload"], told["result"]) == ({"deep": deep}, deep)


def test_it_is_told_what_keeps_a_job_and_what_happened_to_it(caller: Caller) -> None:
    row = stored_job()
    told = caller.get(f"/jobs/{row.pk}/why").json()
    moments = caller.get(f"/jobs/{row.pk}/timeline").json()["moments"]

    assert told["why"] == "No process is live: start one with manage.py runjobs."
    assert "Enqueued" in [moment["title"] for moment in moments]


def test_what_is_done_to_a_job_is_done_as_by_the_button_and_logged(caller: Caller) -> None:
    waiting, dead, later = stored_job(), finished_job(), stored_job(state=State.SCHEDULED)
    process = process_named("web")
    running = stored_job(state=State.RUNNING, process=process)

    told = [
        caller.post(f"/jobs/{waiting.pk}/cancel", {"reason": "a mistake"}),
        caller.post(f"/jobs/{dead.pk}/requeue"),
        caller.post(f"/jobs/{later.pk}/run-now"),
        caller.post(f"/jobs/{running.pk}/kill", {}),
        caller.send("DELETE", f"/jobs/{waiting.pk}"),
    ]

    assert [one.status_code for one in told] == [200] * 5
    assert told[0].json() == {"detail": f"Job {waiting} is cancelled."}
    states = dict(Job.objects.values_list("pk", "state"))
    assert states == {dead.pk: "ready", later.pk: "ready", running.pk: "running"}
    killed = Job.objects.get(pk=running.pk)
    assert (killed.is_to_be_killed, killed.cancelled_by) == (True, "root (token shop)")
    assert JobEvent.objects.get(job_id=waiting.pk, event="cancelled").detail == "a mistake"
    assert {entry.user.get_username() for entry in LogEntry.objects.all()} == {"root"}
    assert all("(token shop)" in entry.change_message for entry in LogEntry.objects.all())


def test_what_a_job_is_in_no_state_for_changes_nothing_and_says_so(caller: Caller) -> None:
    row = finished_job()
    answers = [caller.post(f"/jobs/{row.pk}/{act}", {}) for act in ("cancel", "kill", "run-now")]

    assert [one.status_code for one in answers] == [409] * 3
    assert answers[0].json()["detail"] == f"Nothing was changed: {row} is dead."
    assert not LogEntry.objects.exists()
    assert caller.send("DELETE", f"/jobs/{stored_job().pk}").status_code == 409


def test_many_are_foreseen_before_they_are_changed(caller: Caller) -> None:
    dead = [finished_job(kind="shop.receipt").pk for _ in range(3)]
    finished_job()
    order = {"filter": {"kind": "shop.*", "state": "dead"}}

    foreseen = caller.post("/jobs/bulk/requeue", order | {"dry_run": True})
    assert foreseen.json() == {
        "dry_run": True,
        "count": 3,
        "detail": "3 jobs would be requeued.",
        "left_out": [],
    }
    assert Job.objects.ready().count() == 0

    done = caller.post("/jobs/bulk/requeue", order | {"dry_run": False})
    assert (done.json()["count"], done.json()["detail"]) == (3, "3 jobs requeued.")
    assert {*Job.objects.ready().values_list("pk", flat=True)} == {*dead}


def test_many_may_be_named_and_those_in_no_state_for_it_are_left_out(caller: Caller) -> None:
    waiting, dead = stored_job(), finished_job()
    order = {"ids": [waiting.pk, dead.pk], "dry_run": False, "reason": "a mistake"}

    told = caller.post("/jobs/bulk/cancel", order).json()

    assert (told["count"], told["left_out"]) == (1, [f"#{dead.pk} (dead)"])
    assert Job.objects.get(pk=waiting.pk).cancel_reason == "a mistake"


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"dry_run": False},
        {"dry_run": False, "ids": []},
        {"dry_run": False, "ids": [1], "filter": {}},
        {"dry_run": False, "filter": {"stat": "dead"}},
        {"dry_run": False, "filter": {"state": "odd"}},
        {"dry_run": False, "filter": {"since": "yesterday"}},
        {"dry_run": False, "filter": {"kind": ""}},
        {"dry_run": False, "filter": {"kind": " "}},
        {"filter": {}},
        {"dry_run": "maybe", "filter": {}},
    ],
)
def test_whoever_does_not_say_which_jobs_and_whether_changes_none(
    caller: Caller, order: dict[str, Any]
) -> None:
    finished_job()

    assert caller.post("/jobs/bulk/delete", order).status_code == 422
    assert Job.objects.count() == 1


def test_a_session_of_the_admin_does_as_a_token(caller: Caller) -> None:
    row = stored_job()
    ada = in_session(superuser("ada"))

    assert ada.post(f"/jobs/{row.pk}/cancel", {}).status_code == 200
    assert Job.objects.get().cancelled_by == "ada"
