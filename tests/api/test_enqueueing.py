"""Jobs that come in by HTTP: which kinds, with what, and once however often they are sent."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection
from django.test import override_settings
from pytest_django import Settings

from forge_jobs import job, register
from forge_jobs.handlers.command import Command
from forge_jobs.models import Batch, Job, State
from tests.api.callers import Caller, in_session, program, superuser, user, with_token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _kinds() -> None:
    @job(kind="shop.send_receipt", api=True, redact=["card"])
    def send_receipt(order_id: int, card: str = "") -> None: ...

    @job(kind="shop.tidy_up")
    def tidy_up() -> None: ...


RECEIPT = {"kind": "shop.send_receipt", "payload": {"order_id": 4711}}


def faults(response: Any) -> dict[str, str]:
    assert response["Content-Type"] == "application/problem+json"
    return {one["field"]: one["reason"] for one in response.json()["errors"]}


def test_a_job_of_an_open_kind_is_stored_with_all_that_was_said() -> None:
    said = {
        "queue": "other",
        "priority": 7,
        "delay_seconds": 60,
        "max_attempts": 3,
        "timeout_seconds": 9.5,
        "expires_in_seconds": 600,
        "dedupe_key": "receipt-4711",
        "labels": ["checkout"],
    }
    response = program("add_job").post("/jobs", RECEIPT | said)

    stored = Job.objects.get()
    assert (response.status_code, response.json()) == (201, {"id": stored.pk, "became": "new"})
    assert response["Location"] == f"/jobs/api/jobs/{stored.pk}"
    assert (stored.kind, stored.payload, stored.queue) == (
        "shop.send_receipt",
        {"order_id": 4711},
        "other",
    )
    assert (stored.priority, stored.max_attempts, stored.timeout_seconds) == (7, 3, 9.5)
    assert (stored.state, stored.dedupe_key) == (State.SCHEDULED, "receipt-4711")
    assert stored.expires_at
    assert [label.label for label in stored.labels.all()] == ["checkout"]
    assert stored.context["forge_jobs.api"]["by"] == "root (token shop)"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "kind"),
        ({"kind": "shop.send_receipt", "payload": {}}, "payload"),
        (RECEIPT | {"payload": {"order_id": 1, "colour": "red"}}, "payload"),
        (RECEIPT | {"payload": [1]}, "payload"),
        (RECEIPT | {"queue": "nowhere"}, "queue"),
        (RECEIPT | {"priority": 101}, "priority"),
        (RECEIPT | {"run_at": "2026-03-02T12:00:00"}, "run_at"),
        (RECEIPT | {"run_at": 20360302}, "run_at"),
        (RECEIPT | {"run_at": "20360302"}, "run_at"),
        (RECEIPT | {"run_at": "0930"}, "run_at"),
        (RECEIPT | {"expires_at": 2_088_000_000.5}, "expires_at"),
        (RECEIPT | {"priority": True}, "priority"),
        (RECEIPT | {"priority": "1_0"}, "priority"),
        (RECEIPT | {"timeout_seconds": "1e3"}, "timeout_seconds"),
        (RECEIPT | {"run_at": "2036-03-02T12:00:00Z", "delay_seconds": 1}, "delay_seconds"),
        (RECEIPT | {"labels": [" x "]}, "labels"),
        (RECEIPT | {"prioritty": 1}, "prioritty"),
        (RECEIPT | {"on_duplicate": "replace"}, "on_duplicate"),
        (RECEIPT | {"after": [9]}, "after"),
        (RECEIPT | {"batch": 9}, "batch"),
        (RECEIPT | {"payload": {"order_id": "\0"}}, "body"),
        (RECEIPT | {"payload": {"order_id": "\ud800"}}, "body"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_field_and_nothing_is_stored(
    body: dict[str, Any], field: str
) -> None:
    response = program("add_job", "view_job", "change_batch").post("/jobs", body)

    assert (response.status_code, [*faults(response)]) == (422, [field])
    assert not Job.objects.exists()


def test_a_kind_that_is_not_open_is_refused_as_one_that_there_is_not() -> None:
    caller = in_session(superuser())
    closed = caller.post("/jobs", {"kind": "shop.tidy_up"})
    unknown = caller.post("/jobs", {"kind": "shop.tidy_pu"})

    assert closed.status_code == unknown.status_code == 422
    assert faults(closed)["kind"] == faults(unknown)["kind"]
    assert "shop.send_receipt" in faults(closed)["kind"]
    assert not Job.objects.exists()


def test_a_field_that_there_is_not_is_told_by_its_name() -> None:
    response = program("add_job").post("/jobs", RECEIPT | {"payloda": {}})

    assert faults(response) == {"payloda": "There is no such field."}


def test_to_whom_no_kind_is_open_it_is_told_how_one_is_opened() -> None:
    response = with_token(user("add_job"), kinds=["shop.gone"]).post("/jobs", RECEIPT)

    assert "api=True" in faults(response)["kind"]


def test_a_kind_that_the_token_names_is_open_to_it_and_no_other_is() -> None:
    caller = program(kinds=["shop.tidy_up"])

    assert caller.post("/jobs", {"kind": "shop.tidy_up"}).status_code == 201
    assert caller.post("/jobs", RECEIPT).status_code == 422


def test_a_token_names_kinds_in_vain_once_its_owner_may_add_no_jobs() -> None:
    caller = with_token(user("view_job"), kinds=["shop.tidy_up"])

    assert caller.post("/jobs", {"kind": "shop.tidy_up"}).status_code == 422


def test_a_command_is_never_open_unless_its_kind_says_so() -> None:
    register(Command("shop.convert", allow=["cat"]))
    register(Command("shop.compare", allow=["cat"], open_to_others=True))
    register(Command("shop.count", allow=["cat"], open_to_others=True, api=True))
    caller = program("add_job", kinds=["shop.convert", "shop.compare"])
    payload = {"argv": ["cat"]}

    codes = {
        kind: caller.post("/jobs", {"kind": f"shop.{kind}", "payload": payload}).status_code
        for kind in ("convert", "compare", "count")
    }
    assert codes == {"convert": 422, "compare": 201, "count": 201}


def test_the_same_key_with_the_same_body_makes_one_job() -> None:
    caller = program("add_job")
    key = {"Idempotency-Key": "4711-a"}
    first, again = (caller.post("/jobs", RECEIPT, **key) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 200)
    assert again.json() == {"id": first.json()["id"], "became": "kept"}
    assert Job.objects.count() == 1


def test_the_same_key_is_answered_alike_though_the_request_could_not_be_made_any_more() -> None:
    caller = program("add_job")
    key = {"Idempotency-Key": "4711-a"}
    first = caller.post("/jobs", RECEIPT | {"expires_in_seconds": 1}, **key)
    Job.objects.update(state=State.SUCCEEDED, finished_at="2026-03-02T12:00:00Z")

    again = caller.post("/jobs", RECEIPT | {"expires_in_seconds": 1}, **key)

    assert (again.status_code, again.json()["id"]) == (200, first.json()["id"])


def test_the_same_key_is_answered_alike_though_its_queue_is_no_more(settings: Settings) -> None:
    caller = program("add_job")
    key, order = {"Idempotency-Key": "4711-a"}, RECEIPT | {"queue": "former"}
    without = settings.FORGE_JOBS
    settings.FORGE_JOBS = {**without, "QUEUES": {"default": {}, "former": {}}}
    first = caller.post("/jobs", order, **key)
    settings.FORGE_JOBS = without

    again, other = caller.post("/jobs", order, **key), caller.post("/jobs", RECEIPT, **key)

    assert (again.status_code, again.json()) == (200, first.json() | {"became": "kept"})
    assert (other.status_code, [*faults(other)]) == (422, ["Idempotency-Key"])
    assert caller.post("/jobs", order).status_code == 422


def test_the_same_key_leads_to_its_job_whoever_has_the_dedupe_key_by_now() -> None:
    caller = program("add_job")
    key, order = {"Idempotency-Key": "4711-a"}, RECEIPT | {"dedupe_key": "one"}
    older = Job.objects.get(pk=caller.post("/jobs", order).json()["id"])
    older.cancel()
    first = caller.post("/jobs", order, **key).json()["id"]
    Job.objects.filter(pk=first).cancel()
    older.requeue()

    assert caller.post("/jobs", order, **key).json() == {"id": first, "became": "kept"}


def test_the_same_key_with_another_body_is_refused() -> None:
    caller = program("add_job")
    key = {"Idempotency-Key": "4711-a"}
    caller.post("/jobs", RECEIPT, **key)
    other = caller.post("/jobs", RECEIPT | {"payload": {"order_id": 4712}}, **key)

    assert (other.status_code, [*faults(other)]) == (422, ["Idempotency-Key"])
    assert other.json()["type"] == "urn:forge-jobs:problem:key-reused"
    assert Job.objects.count() == 1


def test_the_keys_of_two_callers_have_nothing_to_do_with_each_other() -> None:
    key = {"Idempotency-Key": "4711-a"}
    answers = [program("add_job").post("/jobs", RECEIPT, **key) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [201, 201]


def test_a_key_is_known_by_the_secrets_that_the_project_had_before(settings: Settings) -> None:
    caller = program("add_job")
    key = {"Idempotency-Key": "4711-a"}
    caller.post("/jobs", RECEIPT, **key)
    with override_settings(SECRET_KEY="new", SECRET_KEY_FALLBACKS=[settings.SECRET_KEY]):
        assert caller.post("/jobs", RECEIPT, **key).status_code == 200


@pytest.mark.parametrize("key", ["", " ", "ä", "x" * 151, "a b"])
def test_a_key_that_could_not_be_kept_is_refused(key: str) -> None:
    response = program("add_job").post("/jobs", RECEIPT, **{"Idempotency-Key": key})

    assert (response.status_code, [*faults(response)]) == (422, ["Idempotency-Key"])


def test_what_the_dedupe_key_led_to_is_told_and_no_more_than_its_id() -> None:
    caller = program("add_job")
    order = RECEIPT | {"dedupe_key": "one", "delay_seconds": 60}
    first = caller.post("/jobs", order).json()["id"]

    kept = caller.post("/jobs", order)
    replaced = caller.post("/jobs", order | {"on_duplicate": "replace"})

    assert (kept.status_code, kept.json()) == (200, {"id": first, "became": "kept"})
    assert replaced.json() == {"id": first, "became": "replaced"}


def test_to_add_to_a_batch_or_to_come_after_a_job_takes_a_permission() -> None:
    caller = program("add_job")
    batch = Batch.objects.create(name="import")

    assert caller.post("/jobs", RECEIPT | {"batch": batch.pk}).status_code == 403
    assert caller.post("/jobs", RECEIPT | {"after": [1]}).status_code == 403
    free = program("add_job", "change_batch").post("/jobs", RECEIPT | {"batch": batch.pk})
    assert (free.status_code, Job.objects.get().batch_id) == (201, batch.pk)


def test_whoever_may_not_see_queues_is_told_none_of_their_names() -> None:
    response = program("add_job").post("/jobs", RECEIPT | {"queue": "nowhere"})

    assert faults(response) == {"queue": "queue is not declared."}


@pytest.mark.django_db(transaction=True)
def test_many_who_send_the_same_key_at_once_make_one_job() -> None:
    caller = program("add_job")
    headers = {**caller.headers, "Idempotency-Key": "4711-a"}
    start, codes = threading.Barrier(4), []

    def send() -> None:
        start.wait(30)
        codes.append(Caller(headers).post("/jobs", RECEIPT).status_code)
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(codes) == [200, 200, 200, 201]
    assert Job.objects.count() == 1
