"""What enqueueing refuses: each by an error that names the field, and nothing is written."""

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from forge_jobs import JobContext, JobHandler, enqueue_many, job
from forge_jobs.exceptions import (
    InvalidOption,
    InvalidPayload,
    UnknownKind,
    UnknownQueue,
)
from forge_jobs.handlers.function import FunctionHandler
from tests.app.jobs import effect, noop
from tests.conftest import NOON
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_an_unknown_kind_is_refused() -> None:
    error = refused("app.nop")

    assert (type(error), error.field) == (UnknownKind, "kind")
    assert "'app.nop'" in str(error)


def test_a_handler_that_was_never_registered_is_refused() -> None:
    class Stranger(JobHandler):
        kind = "tests.stranger"

        def run(self, ctx: JobContext, payload: dict[str, Any]) -> None: ...

    assert refused(Stranger()).field == "kind"


def undecorated() -> None: ...


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (noop.__wrapped__, "must be <job app.noop>, not the function that it was made of"),
        (undecorated, "which undecorated is not: give it @job"),
        (JobHandler, "an instance of JobHandler that is registered, not the class"),
        ("noop", "Did you mean 'app.noop'?"),
        ([], "a handler or the name of one, not []"),
        (None, "a handler or the name of one, not None"),
        (b"app.noop", "a handler or the name of one, not b'app.noop'"),
    ],
)
def test_what_is_no_kind_is_refused_with_what_is_one(kind: Any, words: str) -> None:
    error = refused(kind)

    assert (type(error), error.field) == (UnknownKind, "kind")
    assert words in str(error)


class Nameless(JobHandler):
    """No function: nobody knows what it takes."""

    kind = "tests.nameless"


class Unspeakable:
    __hash__ = None  # type: ignore[assignment] # it has none

    def __repr__(self) -> str:
        raise RuntimeError("not to be told")


@pytest.mark.parametrize(
    "option",
    ["queue", "priority", "run_at", "delay", "max_attempts", "timeout", "dedupe_key", "context"],
)
def test_values_that_can_not_be_told_are_refused_all_the_same(option: str) -> None:
    assert refused(noop, **{option: Unspeakable()}).field == option
    assert refused(Unspeakable()).field == "kind"
    assert refused(noop, Unspeakable()).field == "payload"
    assert refused(effect, {"number": Unspeakable()}).field == "payload"


@pytest.fixture
def placed() -> FunctionHandler[[int, float], None]:
    @job(kind="tests.placed")
    def placed(number: int, seconds: float) -> None: ...

    return placed


def test_arguments_that_have_no_place_are_refused_with_the_names(placed: Any) -> None:
    def named(*, seconds: float, number: int) -> None: ...

    by_name: Any = job(kind="tests.named")(named)

    calls: list[tuple[Callable[[], object], str]] = [
        (lambda: placed.enqueue(7, 0.5, 3), "3 arguments are given by their place, and it takes 2"),
        (lambda: placed.enqueue(7, number=7), "'number' is given twice"),
        (lambda: placed.enqueue({"number": 7}), "enqueue(**payload)"),
        (lambda: placed.enqueue(7), "'seconds' is missing"),
        (lambda: by_name.enqueue(7), "given by name. Write enqueue(number=..., seconds=...)."),
        (lambda: Nameless().enqueue(7), "is given by name"),  # type: ignore[arg-type] # wrong, to be refused
    ]
    for call, words in calls:
        with pytest.raises(InvalidPayload) as refusal:
            call()
        assert words in str(refusal.value)


def test_arguments_may_be_given_by_their_place(
    placed: Any,
) -> None:
    payload = {"number": 7, "seconds": 2}

    assert placed.enqueue(7, 2).payload == payload
    assert placed.using(priority=1).enqueue(7, seconds=2).payload == payload
    new = placed.using(priority=1).new(7, 2)
    assert (new.kind, new.payload, new.options) == (placed, payload, {"priority": 1})


@pytest.mark.parametrize("jobs", [[("app.noop", {})], ["app.noop"], [{}], "app.noop", {}, None, 7])
def test_many_jobs_are_new_jobs_each(jobs: Any) -> None:
    with pytest.raises(InvalidOption) as refusal:
        enqueue_many(jobs)

    assert refusal.value.field == "jobs"


@pytest.mark.parametrize("payloads", [{"number": 1}, "number", None, 7])
def test_many_payloads_are_not_one(payloads: Any) -> None:
    with pytest.raises(InvalidOption) as refusal:
        effect.enqueue_many(payloads)

    assert refusal.value.field == "payloads"


@pytest.mark.parametrize("queue", ["nowhere", "Default", 7], ids=repr)
def test_a_queue_that_is_not_declared_is_refused(queue: Any) -> None:
    error = refused(noop, queue=queue)

    assert (type(error), error.field) == (UnknownQueue, "queue")
    assert "default, other, images, publish" in str(error)


def test_a_router_s_queue_that_is_not_declared_is_refused(settings: Settings) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "ROUTER": {"app.": "nowhere"}}

    error = refused(noop)

    assert error.field == "queue"
    assert "'nowhere', the router's for app.noop, is not declared" in str(error)


def test_a_payload_given_as_options_is_told_where_it_belongs() -> None:
    error = refused(effect, number=7)

    assert (type(error), error.field) == (InvalidOption, "number")
    assert "handler.enqueue(number=...)" in str(error)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *[("priority", priority) for priority in (101, -101, 10**9, 1.5, "5")],
        *[("run_at", moment) for moment in (NOON.replace(tzinfo=None), "2026-03-02", date.max, 0)],
        *[("delay", delay) for delay in (-1, timedelta(days=-1), "60", float("nan"), True)],
        *[("delay", eternity) for eternity in (1e300, timedelta.max, 1e12)],
        *[("max_attempts", attempts) for attempts in (0, -1, 1.5, "5", 2**31)],
        *[("timeout", timeout) for timeout in (0, -1, timedelta(0), "60", float("inf"))],
        *[
            (field, key)
            for field in ("dedupe_key", "idempotency_key")
            for key in ("", "k" * 201, 7, b"key", "nul \0", "half \ud800")
        ],
        *[
            ("context", context)
            for context in ({"at": NOON}, {1: 2}, {"\0": 1}, ["trace"], "trace")
        ],
    ],
    ids=ascii,
)
def test_a_bad_option_is_refused_by_its_name(field: str, value: Any) -> None:
    error = refused(noop, **{field: value})

    assert error.field == field
    assert field in str(error)


def test_a_delay_and_a_moment_do_not_go_together() -> None:
    error = refused(noop, delay=60, run_at=NOON)

    assert (type(error), error.field) == (InvalidOption, "delay")
    assert "run_at" in str(error)


def test_a_naive_moment_is_refused_with_the_way_to_make_it_aware() -> None:
    assert "make_aware" in str(refused(noop, run_at=datetime.fromisoformat("2026-03-02")))


def test_an_unknown_option_is_refused() -> None:
    error = refused(noop, priorty=5)

    assert (type(error), error.field) == (InvalidOption, "priorty")
    assert "Did you mean 'priority'?" in str(error)


def test_a_refusal_is_a_value_error() -> None:
    assert isinstance(refused(effect), ValueError)


def test_a_refusal_leaves_the_caller_s_transaction_usable() -> None:
    refused(noop, priority=101)

    assert noop.enqueue().pk
