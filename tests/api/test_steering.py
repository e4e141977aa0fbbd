"""Queues, processes, schedules, budgets, batches and numbers by HTTP, as in the admin."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import Settings

from forge_jobs import clock, job
from forge_jobs.models import (
    Batch,
    BatchState,
    Job,
    Process,
    Queue,
    RateLimitBudget,
    Schedule,
    State,
)
from forge_jobs.redaction import MASK
from tests.api.callers import Caller, program
from tests.factories import process_named
from tests.rows import finished_job, stored_job

pytestmark = pytest.mark.django_db

KIND = "shop.tidy_up"


@pytest.fixture
def caller() -> Caller:
    @job(kind=KIND, api=True, redact=["password"])
    def tidy_up(days: int = 1, password: str = "") -> None: ...

    @job(kind="shop.closed")
    def closed() -> None: ...

    from forge_jobs.admin.token_form import LABELS

    return program(*LABELS)


def test_a_queue_that_is_declared_can_be_steered_before_a_process_has_stored_it(
    caller: Caller,
) -> None:
    paused = caller.post("/queues/images/pause")

    assert paused.json() == {"detail": "The queue images is paused."}
    assert caller.post("/queues/images/pause").status_code == 409
    told = caller.get("/queues/images").json()
    assert (told["moods"], told["is_declared"]) == (["paused", "unserved"], True)
    assert caller.post("/queues/images/resume").status_code == 200
    assert caller.post("/queues/images/cool-off").status_code == 409
    assert not Queue.objects.get(name="images").is_paused


def test_what_asks_for_nothing_needs_no_body(caller: Caller) -> None:
    row = stored_job()
    RateLimitBudget.objects.create(name="slack", capacity=1, refill_per_second=1, tokens=1)

    assert caller.post(f"/jobs/{row.pk}/cancel").status_code == 200
    assert caller.post("/budgets/slack/drain").status_code == 200
    assert caller.post("/queues/images/pause", {}).status_code == 200
    again = caller.post("/queues/images/pause").json()
    assert again["detail"] == "Nothing was changed: images is that already."
    (told,) = caller.post("/jobs").json()["errors"]
    assert told == {"field": "body", "reason": "Field required"}
    (told,) = caller.post(f"/jobs/{row.pk}/cancel", {"why": "so"}).json()["errors"]
    assert told["field"] == "why"


def test_limits_of_a_queue_change_as_far_as_they_are_given(caller: Caller) -> None:
    RateLimitBudget.objects.create(name="slack", capacity=1, refill_per_second=1, tokens=1)
    given = {"max_workers": 4, "budget": "slack", "retries": False, "retain_failed_seconds": None}
    told = caller.send("PATCH", "/queues/default", given)

    assert told.status_code == 200
    settings = told.json()["settings"]
    assert {name: settings[name] for name in given} == given
    assert settings["retain_succeeded_seconds"] == 7 * 86_400
    open_again = caller.send("PATCH", "/queues/default", {"max_workers": None}).json()["settings"]
    assert (open_again["max_workers"], open_again["retries"]) == (None, False)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"max_workers": -1}, "max_workers"),
        ({"max_workers": 2**31}, "max_workers"),
        ({"budget": "gone"}, "budget"),
        ({"retry_base_seconds": 60, "retry_cap_seconds": 30}, "retry_cap_seconds"),
        ({"throttle_base_seconds": -1}, "throttle_base_seconds"),
        ({"retain_failed_seconds": 1e12}, "retain_failed_seconds"),
        ({"workers": 1}, "workers"),
    ],
)
def test_limits_that_can_not_be_are_refused_as_by_the_form(
    caller: Caller, given: dict[str, Any], field: str
) -> None:
    answer = caller.send("PATCH", "/queues/default", given)

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


def test_only_a_queue_that_is_not_declared_and_idle_is_deleted(caller: Caller) -> None:
    Queue.objects.create(name="former/one")
    stored_job(queue="former/two")
    Queue.objects.create(name="former/two")

    assert caller.send("DELETE", "/queues/former/one").status_code == 200
    assert caller.send("DELETE", "/queues/former/two").status_code == 409
    assert caller.send("DELETE", "/queues/default").status_code in (404, 409)
    assert caller.get("/queues/former/two").json()["counts"]["ready"] == 1
    assert [one["name"] for one in caller.get("/queues?q=former").json()["queues"]] == [
        "former/two"
    ]


def test_a_process_does_what_it_is_asked_to(caller: Caller) -> None:
    process = process_named("web", heartbeat_at=clock.now())
    told = caller.get("/processes").json()["processes"]
    codes = [
        caller.post(f"/processes/{process.pk}/{act}").status_code
        for act in ("claim", "quiet", "claim", "stop", "stop")
    ]

    assert [(one["name"], one["pulse"]) for one in told] == [("web", "live")]
    assert codes == [409, 200, 200, 200, 409]
    asked = Process.objects.get()
    assert (asked.requested_state, asked.requested_by) == ("stopping", "root (token shop)")


def test_a_schedule_lives_its_life_by_http(caller: Caller) -> None:
    new = {"name": "reports/nightly", "kind": KIND, "expression": "0 3 * * *"}
    added = caller.post("/schedules", new | {"payload": {"password": "hunter2"}})
    assert (added.status_code, added.json()["payload"]) == (201, {"password": MASK})
    assert (added.json()["is_enabled"], added.json()["overlap"]) == (True, "skip")

    path = "/schedules/reports/nightly"
    given = {"timezone": "Europe/Berlin", "payload": {"password": MASK, "days": 9}, "priority": 5}
    changed = caller.send("PATCH", path, given).json()
    assert (changed["timezone"], changed["priority"]) == ("Europe/Berlin", 5)
    assert Schedule.objects.get().payload == {"password": "hunter2", "days": 9}
    assert caller.send("PATCH", path, {"priority": None}).json()["priority"] is None

    codes = [
        caller.post(f"{path}/{act}").status_code
        for act in ("trigger", "trigger", "disable", "disable", "enable")
    ]
    assert codes == [200, 409, 200, 409, 200]
    assert Job.objects.get().payload == {"password": "hunter2", "days": 9}
    assert [one["name"] for one in caller.get("/schedules?q=night").json()["schedules"]]
    assert caller.send("DELETE", path).status_code == 200
    assert caller.get(path).status_code == 404


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"kind": "shop.closed"}, "kind"),
        ({"kind": "shop.unknown"}, "kind"),
        ({"expression": "61 * * * *"}, "expression"),
        ({"timezone": "Mars/Olympus"}, "timezone"),
        ({"payload": {"colour": "red"}}, "payload"),
        ({"queue": "nowhere"}, "queue"),
        ({"overlap": "sometimes"}, "overlap"),
        ({"starts_at": "2026-03-03T12:00:00Z", "ends_at": "2026-03-02T12:00:00Z"}, "ends_at"),
        ({"name": "x" * 201}, "name"),
    ],
)
def test_a_schedule_that_can_not_be_is_refused_as_by_the_form(
    caller: Caller, given: dict[str, Any], field: str
) -> None:
    answer = caller.post("/schedules", {"name": "x", "kind": KIND, "expression": "@daily"} | given)

    assert answer.status_code == 422
    assert field in {one["field"] for one in answer.json()["errors"]}
    assert not Schedule.objects.exists()


def test_a_schedule_of_a_kind_that_is_not_open_keeps_its_payload_and_may_be_moved(
    caller: Caller,
) -> None:
    Schedule.objects.create(name="x", kind="shop.closed", expression="@daily")

    assert caller.send("PATCH", "/schedules/x", {"payload": {}}).status_code == 422
    assert caller.send("PATCH", "/schedules/x", {"expression": "@hourly"}).status_code == 200


def test_a_budget_lives_its_life_by_http(caller: Caller) -> None:
    new = {"name": "slack", "capacity": 10, "refill_per_second": 0.001}
    assert caller.post("/budgets", new).status_code == 201
    assert caller.post("/budgets", new).status_code == 422
    assert caller.send("PATCH", "/budgets/slack", {"capacity": 20}).json()["capacity"] == 20
    assert caller.send("PATCH", "/budgets/slack", {"capacity": 0}).status_code == 422
    assert caller.post("/budgets/slack/drain", {"pause_seconds": 60}).status_code == 200
    assert caller.get("/budgets/slack").json()["state"] == "paused"
    assert caller.post("/budgets/slack/refill").status_code == 200
    assert caller.get("/budgets").json()["budgets"][0]["tokens"] == 20
    Queue.objects.create(name="default", budget="slack")
    assert caller.send("DELETE", "/budgets/slack").status_code == 409
    Queue.objects.update(budget="")
    assert caller.send("DELETE", "/budgets/slack").status_code == 200
    assert not RateLimitBudget.objects.exists()


def test_a_budget_that_settings_declare_stays(caller: Caller, settings: Settings) -> None:
    declared = {"slack": {"capacity": 1, "refill_per_second": 1}}
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "BUDGETS": declared}
    RateLimitBudget.objects.create(name="slack", capacity=1, refill_per_second=1, tokens=1)

    assert caller.send("DELETE", "/budgets/slack").status_code == 409


def test_a_batch_is_sealed_cancelled_and_requeued_by_http(caller: Caller) -> None:
    batch = Batch.objects.create(name="import")
    stored_job(batch=batch)
    finished_job(batch=batch)
    path = f"/batches/{batch.pk}"

    assert caller.get(path).json()["counts"] == {"dead": 1, "ready": 1}
    codes = [caller.post(f"{path}/{act}", {}).status_code for act in ("seal", "seal", "cancel")]
    assert codes == [200, 409, 200]
    assert caller.post(f"{path}/requeue").status_code == 200
    assert Job.objects.filter(state=State.READY).count() == 2
    told = caller.get("/batches?state=sealed").json()["batches"]
    assert [(one["id"], one["state"]) for one in told] == [(batch.pk, BatchState.SEALED)]


def test_status_and_health_say_what_the_command_says(caller: Caller) -> None:
    process_named(
        "web", heartbeat_at=clock.now(), queues=["default"], kinds=["app.noop"], threads=4
    )
    stored_job()
    status, health = caller.get("/status").json(), caller.get("/health?max_lag_seconds=0")

    (queue,) = [one for one in status["queues"] if one["name"] == "default"]
    assert (queue["counts"], queue["is_served"], status["live_processes"]) == (
        {"ready": 1},
        True,
        1,
    )
    assert (health.status_code, health.json()) == (200, {"is_well": True, "ailments": []})
    Process.objects.all().delete()
    ill = caller.get("/health")
    assert (ill.status_code, ill.json()["is_well"]) == (503, False)
    assert "No process beats" in ill.json()["ailments"][0]


def test_the_numbers_of_the_charts_are_there_in_columns_of_one_length(caller: Caller) -> None:
    jobs = caller.get("/series/jobs?window=24h&queue=default").json()
    gauges = caller.get("/series/gauges?window=24h").json()

    lengths = {len(jobs["moments"]), *map(len, jobs["counts"].values())}
    lengths |= {len(column) for column in jobs["durations"]["wait"]["steps"].values()}
    assert len(lengths) == 1
    assert {*jobs["durations"]} == {"wait", "run_time", "latency"}
    assert {len(column) for column in gauges["database"].values()} == {len(gauges["moments"])}
