"""What every request goes through: bodies and addresses that are odd, and how failures are told."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import OperationalError
from django.test import Client
from pytest_django import Settings

from forge_jobs import job
from forge_jobs.models import Job
from tests.api.callers import ROOT, Caller, program, superuser

pytestmark = pytest.mark.django_db

JSON = "application/json"


@pytest.fixture
def caller() -> Caller:
    @job(kind="shop.note", api=True)
    def note(text: object = "") -> None: ...

    return program("add_job", "view_job", "view_queue", "pause_queue")


def sent(caller: Caller, data: bytes, content_type: str = JSON, path: str = "/jobs") -> Any:
    return caller.client.generic(
        "POST", f"{ROOT}{path}", data, content_type=content_type, headers=caller.headers
    )


def with_payload(text: str) -> bytes:
    return b'{"kind": "shop.note", "payload": {"text": %s}}' % text.encode()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"", 422),
        (b"[]", 422),
        (b"null", 422),
        (b"{", 400),
        (b"\xff", 400),
        (b'\xef\xbb\xbf{"kind": "shop.note"}', 400),
        (b'{"kind": "shop.tidy_up", "kind": "shop.note"}', 400),
        (with_payload('{"a": 1, "b": {"c": 1, "c": 1}}'), 400),
        (with_payload("NaN"), 400),
        (with_payload("-Infinity"), 400),
        (with_payload("1" * 5_000), 400),
        (with_payload("[" * 150 + "]" * 150), 201),
        (with_payload("[" * 300 + "]" * 300), 422),
        (with_payload("[" * 60_000 + "]" * 60_000), 400),
        (with_payload('"\\u0000"'), 422),
        (with_payload('"\\ud800"'), 422),
        (with_payload("1e999"), 422),
        (with_payload(str(2**80)), 201),
    ],
    ids=range(18),
)
def test_a_body_that_is_odd_is_refused_and_one_that_can_be_stored_is_stored(
    caller: Caller, data: bytes, status: int
) -> None:
    response = sent(caller, data)

    assert response.status_code == status
    if status != 201:
        assert response["Content-Type"] == "application/problem+json"
        assert {"type", "title", "status", "detail", "errors"} == response.json().keys()


def test_a_body_that_is_too_large_is_not_even_read(caller: Caller, settings: Settings) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MAX_PAYLOAD_BYTES": 1_000}
    fits = sent(caller, with_payload(f'"{"x" * 900}"'))
    too_large_a_payload = sent(caller, with_payload(f'"{"x" * 1_100}"'))
    too_large = sent(caller, with_payload(f'"{"x" * 100_000}"'))

    codes = [one.status_code for one in (fits, too_large_a_payload, too_large)]
    assert codes == [201, 422, 413]


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_what_a_page_of_another_origin_could_send_is_no_json(
    caller: Caller, content_type: str
) -> None:
    assert sent(caller, with_payload("1"), content_type).status_code == 415


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("/nothing", 404),
        ("/queues/a%0ab", 404),
        ("/jobs/", 404),
        ("/jobs/x", 404),
        ("/jobs/0", 422),
        ("/jobs/99999999999999999999999", 422),
        ("/jobs?q=%00", 400),
        ("/queues/%00", 400),
        ("/queues/%ff", 404),
        ("/queues/" + "x" * 300, 422),
        ("/jobs?stat=dead", 422),
        ("/jobs?state=odd", 422),
        ("/jobs?since=yesterday", 422),
        ("/jobs?after=1,2,3", 422),
        ("/jobs?after=0&before=0", 422),
        ("/jobs?limit=201", 422),
        ("/jobs?batch=9223372036854775808", 422),
        ("/jobs?queue=nowhere", 422),
        ("/docs/assets/..%2f__init__.py", 404),
        ("/docs/assets/redoc.standalone.js", 404),
    ],
)
def test_an_address_that_is_odd_is_answered_with_a_problem(
    caller: Caller, path: str, status: int
) -> None:
    response = caller.get(path)

    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json")


def test_the_field_that_is_wrong_is_named(caller: Caller) -> None:
    def faulty(path: str) -> list[str]:
        return [one["field"] for one in caller.get(path).json()["errors"]]

    assert faulty("/jobs?since=yesterday") == ["since"]
    assert faulty("/jobs?limit=0") == ["limit"]
    assert faulty("/jobs/0") == ["id"]


def test_a_method_that_there_is_not_is_told_from_those_that_there_are(caller: Caller) -> None:
    response = caller.send("PUT", "/jobs", {})

    assert (response.status_code, response["Allow"]) == (405, "GET, HEAD, OPTIONS, POST")
    assert response["Content-Type"] == "application/problem+json"


def test_options_tell_the_methods_and_let_no_other_origin_in(caller: Caller) -> None:
    response = Caller().send("OPTIONS", "/jobs", Origin="https://elsewhere.example")

    assert (response.status_code, response["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert [name for name in response.headers if name.lower().startswith("access-control")] == []


def test_head_is_a_get_without_the_body(caller: Caller) -> None:
    response = caller.send("HEAD", "/queues")

    assert (response.status_code, response.content) == (200, b"")
    assert int(response["Content-Length"]) > 10
    assert Caller().send("HEAD", "/queues").status_code == 401


def test_answers_are_kept_by_nobody(caller: Caller) -> None:
    answers = [caller.get("/jobs"), caller.get("/nothing"), Caller().get("/jobs")]

    assert {answer["Cache-Control"] for answer in answers} == {"no-store"}
    assert {answer["X-Content-Type-Options"] for answer in answers} == {"nosniff"}


def test_a_database_that_is_away_is_no_fault_of_the_caller(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("the server closed the connection")

    monkeypatch.setattr("forge_jobs.api.status.Job.objects.values_list", away)
    anybody = Client(raise_request_exception=False)
    response = anybody.get(f"{ROOT}/ready")

    assert (response.status_code, response["Retry-After"]) == (503, "1")
    assert response["Content-Type"] == "application/problem+json"
    assert b"server closed" not in response.content


def test_what_fails_is_logged_and_tells_nothing_of_itself(
    caller: Caller, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr("forge_jobs.api.jobs.listed", broken)
    caller.client.raise_request_exception = False
    response = caller.get("/jobs")

    assert (response.status_code, response["Content-Type"]) == (500, "application/problem+json")
    assert b"secret of the house" not in response.content
    assert "RuntimeError: the secret of the house" in caplog.text


def test_a_load_balancer_needs_no_token() -> None:
    assert Caller().get("/ready").json() == {"status": "ready"}


def test_nothing_of_what_fails_in_the_middle_stays(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = Caller(caller.headers, Client(raise_request_exception=False))
    monkeypatch.setattr("forge_jobs.enqueueing.insertion.label", lambda *args: 1 / 0)
    response = caller.post("/jobs", {"kind": "shop.note", "labels": ["x"]})

    assert response.status_code == 500
    assert not Job.objects.exists()


def test_the_page_to_try_it_takes_nothing_from_elsewhere() -> None:
    client = Client()
    client.force_login(superuser("ada"))
    page = client.get(f"{ROOT}/docs").content.decode()
    script = client.get(f"{ROOT}/docs/assets/swagger-ui-bundle.js")

    assert "//" not in page.replace("<!DOCTYPE", "")
    assert (script.status_code, script["Content-Type"]) == (200, "text/javascript")


def test_a_project_that_wants_everybody_logged_in_lets_tokens_in(
    caller: Caller, settings: Settings
) -> None:
    wanting = "django.contrib.auth.middleware.LoginRequiredMiddleware"
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, wanting]

    assert caller.get("/jobs").status_code == 200
    assert Caller().get("/jobs").status_code == 401
    assert Caller().get("/ready").status_code == 200
