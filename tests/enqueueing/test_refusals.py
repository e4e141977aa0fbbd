"""What enqueueing refuses: each by an error that names the field, and nothing is written."""

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from pytest_django import Settings

from forge_jobs import JobContext, JobHandler, enqueue
from forge_jobs.exceptions import (
    InvalidOption,
    UnknownKind,
    UnknownQueue,
)
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


def test_a_plain_function_is_no_kind() -> None:
    assert refused(noop.__wrapped__).field == "kind"


@pytest.mark.parametrize("queue", ["nowhere", "Default", 7], ids=repr)
def test_a_queue_that_is_not_declared_is_refused(queue: Any) -> None:
    error = refused(noop, queue=queue)

    assert (type(error), error.field) == (UnknownQueue, "queue")
    assert "default, other, images, publish" in str(error)


def test_a_router_s_queue_that_is_not_declared_is_refused(settings: Settings) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "ROUTER": {"app.": "nowhere"}}

    assert refused(noop).field == "queue"


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
    with pytest.raises(TypeError, match="priorty"):
        enqueue(noop, priorty=5)  # type: ignore[call-arg]


def test_a_refusal_is_a_value_error() -> None:
    assert isinstance(refused(effect), ValueError)


def test_a_refusal_leaves_the_caller_s_transaction_usable() -> None:
    refused(noop, priority=101)

    assert noop.enqueue().pk
