"""Payloads: what fits a handler, what the databases can keep, and what is refused."""

from typing import Any

import pytest
from pytest_django import Settings

from forge_jobs import JobContext, JobHandler, job, register
from forge_jobs.exceptions import InvalidPayload, PayloadTooLarge
from forge_jobs.models import Job
from tests.conftest import NOON
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def anything() -> JobHandler:
    @job(kind="tests.anything")
    def anything(**payload: Any) -> None: ...

    return anything


@pytest.fixture
def two() -> JobHandler:
    @job(kind="tests.two")
    def two(*, number: int, word: str = "") -> None: ...

    return two


@pytest.mark.parametrize(
    ("payload", "fault"),
    [
        ({}, "'number' is missing"),
        ({"word": "a"}, "'number' is missing"),
        ({"number": 1, "wrod": "a"}, "'wrod' is unexpected"),
        ({"nubmer": 1}, "'number' is missing, 'nubmer' is unexpected"),
        ({"number": 1, 2: 3, "four": 5}, "unexpected"),
    ],
    ids=repr,
)
def test_a_payload_that_does_not_fit_the_signature_is_refused(
    two: JobHandler, payload: Any, fault: str
) -> None:
    error = refused(two, payload)

    assert (type(error), error.field) == (InvalidPayload, "payload")
    assert str(error).startswith("payload does not fit tests.two: ")
    assert fault in str(error)
    assert "It takes number, word." in str(error)


def test_a_context_is_no_part_of_the_payload() -> None:
    @job(kind="tests.with_context", takes_context=True)
    def with_context(ctx: JobContext, number: int) -> None: ...

    assert "'ctx' is unexpected" in str(refused(with_context, {"ctx": 1, "number": 2}))
    assert with_context.enqueue(number=2).pk


def test_a_job_of_any_keywords_takes_any_payload(anything: JobHandler) -> None:
    assert anything.enqueue(a=1, b=2).payload == {"a": 1, "b": 2}


@pytest.mark.parametrize("payload", [[1], (1,), "number", 7, {1}], ids=repr)
def test_a_payload_that_is_no_dictionary_is_refused(anything: JobHandler, payload: Any) -> None:
    error = refused(anything, payload)

    assert (type(error), error.field) == (InvalidPayload, "payload")
    assert "must be a dictionary" in str(error)


@pytest.mark.parametrize(
    ("payload", "path"),
    [
        ({"when": NOON}, "payload.when is not JSON"),
        ({"sizes": [1, {"x": float("nan")}]}, "payload.sizes[1].x is nan"),
        ({"word": "a\0"}, "payload.word contains the character NUL"),
        ({"words": ["\ud800"]}, "payload.words[0] contains half a surrogate pair"),
        ({"by_id": {7: "a"}}, "payload.by_id has the key 7"),
        ({7: "a"}, "payload has the key 7"),
        ({"job": Job()}, "pass its primary key"),
    ],
    ids=ascii,
)
def test_a_payload_that_is_not_json_is_refused_with_the_path(
    anything: JobHandler, payload: Any, path: str
) -> None:
    error = refused(anything, payload)

    assert (type(error), error.field) == (InvalidPayload, "payload")
    assert path in str(error)


def test_a_handler_may_refuse_a_payload_itself() -> None:
    class Even(JobHandler):
        kind = "tests.even"

        def check(self, payload: dict[str, Any]) -> None:
            if payload["number"] % 2:
                raise InvalidPayload("number must be even.", field="payload")

    error = refused(register(Even()), {"number": 3})
    assert (str(error), error.field) == ("number must be even.", "payload")


@pytest.mark.parametrize("word", ["x" * 89, "ü" * 44 + "x"], ids=["ascii", "umlauts"])
def test_a_payload_may_have_as_many_bytes_as_the_settings_say(
    settings: Settings, anything: JobHandler, word: str
) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MAX_PAYLOAD_BYTES": 100}

    assert anything.enqueue(word=word).payload == {"word": word}


@pytest.mark.parametrize("word", ["x" * 90, "ü" * 45], ids=["ascii", "umlauts"])
def test_a_payload_of_one_byte_more_is_refused(
    settings: Settings, anything: JobHandler, word: str
) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MAX_PAYLOAD_BYTES": 100}

    error = refused(anything, {"word": word})
    assert (type(error), error.field) == (PayloadTooLarge, "payload")
    assert "has 101 bytes, more than the 100 of" in str(error)
