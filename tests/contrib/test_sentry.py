"""Events of failed runs: one each, whoever tells of it, and what they say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import sentry_sdk
from django.dispatch import Signal
from pytest_django import Settings
from sentry_sdk.integrations.logging import LoggingIntegration
from sentry_sdk.transport import Transport

from forge_jobs import Cancelled, Chunk, Dead, Done, Failed, JobContext, Throttled, chunk_job, job
from forge_jobs.contrib.sentry import FLUSH_SECONDS
from forge_jobs.log import log_trouble
from forge_jobs.log.jobs import RECEIVERS
from forge_jobs.models import Job, State
from forge_jobs.testing import frozen_at
from tests.children import isolated
from tests.conftest import NOON
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)

Events = list[dict[str, Any]]


class Kept(Transport):
    """Sends nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.events: Events = []
        self.flushed: list[float] = []

    def flush(self, timeout: float, callback: Any = None) -> None:
        self.flushed.append(timeout)

    def capture_envelope(self, envelope: Any) -> None:
        self.events += [item.payload.json for item in envelope.items if item.type == "event"]


@pytest.fixture
def transport() -> Kept:
    return Kept()


@pytest.fixture
def events(settings: Settings, transport: Kept, logged: None) -> Iterator[Events]:
    """What Sentry is told, where it listens to the log, as it does by default."""
    settings.FORGE_JOBS = {
        **settings.FORGE_JOBS,
        "MIDDLEWARE": ["forge_jobs.contrib.sentry.tracking"],
    }
    with sentry_sdk.isolation_scope():
        sentry_sdk.init(
            dsn="http://key@127.0.0.1:9/1",
            transport=transport,
            default_integrations=False,  # some change Django for the rest of the process
            integrations=[LoggingIntegration()],
        )
        yield transport.events
        sentry_sdk.init()


@pytest.fixture
def logged() -> Iterator[None]:
    """The lines of `runjobs`."""
    before: dict[Signal, list[Any]] = {signal: list(signal.receivers) for signal in RECEIVERS}
    log_trouble()
    yield
    for signal, receivers in before.items():
        signal.receivers = receivers
        signal.sender_receivers_cache.clear()


@pytest.fixture(params=["function", "coroutine"])
def handle(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a handler, of either sort, of what it is to return."""

    def handle(work: Callable[[], object], **options: Any) -> Any:
        def function() -> object:
            return work()

        async def coroutine() -> object:
            return work()

        made: Any = function if request.param == "function" else coroutine
        decorate: Any = job(kind="tests.work", **{"max_attempts": 1, **options})
        return decorate(made)

    return handle


def raises(error: BaseException) -> Callable[[], object]:
    def work() -> object:
        raise error

    return work


def test_a_run_that_raised_is_one_event_with_its_kind_queue_and_attempt(
    events: Events, handle: Callable[..., Any]
) -> None:
    stored = handle(raises(LookupError("no such order"))).enqueue()
    drain()

    (event,) = events
    assert Job.objects.get().state == State.DEAD
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("LookupError", "no such order")
    assert event["tags"] == {
        "job.kind": "tests.work",
        "job.queue": "default",
        "job.attempt": "1",
    }
    assert event["contexts"]["job"] == {
        "id": stored.pk,
        "process": "tested",
        "kind": "tests.work",
        "queue": "default",
        "attempt": 1,
    }
    assert event["transaction"] == "tests.work"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_what_would_end_a_process_is_an_event_too(
    error: BaseException, events: Events, handle: Callable[..., Any]
) -> None:
    handle(raises(error)).enqueue()
    drain()

    assert [event["exception"]["values"][0]["type"] for event in events] == [type(error).__name__]


@pytest.mark.parametrize("outcome", [Failed("no such order"), Dead("no such order")])
def test_a_failure_that_is_no_exception_is_one_event(
    outcome: Any, events: Events, handle: Callable[..., Any]
) -> None:
    handle(lambda: outcome).enqueue()
    drain()

    (event,) = events
    assert event["message"] == "no such order"
    assert event["level"] == "error"
    assert event["tags"]["job.kind"] == "tests.work"


@pytest.mark.parametrize("outcome", [Done(1), Throttled(60), Cancelled("enough")])
def test_what_is_no_failure_is_no_event(
    outcome: Any, events: Events, handle: Callable[..., Any]
) -> None:
    handle(lambda: outcome).enqueue()
    drain()

    assert events == []


def test_each_attempt_is_one_event(events: Events, handle: Callable[..., Any]) -> None:
    with frozen_at(NOON) as clock:
        handle(raises(LookupError("no such order")), max_attempts=3).enqueue()
        clock.advance(days=1)

    assert [event["tags"]["job.attempt"] for event in events] == ["1", "2", "3"]


def test_a_run_that_fails_after_its_handler_is_an_event_of_the_log(
    events: Events, handle: Callable[..., Any]
) -> None:
    handle(lambda: object()).enqueue()
    drain()

    (event,) = events
    assert event["logger"] == "forge_jobs"
    assert "neither an outcome nor JSON" in str(event["logentry"])


def test_what_a_handler_tells_is_in_its_own_events_and_no_others(events: Events) -> None:
    @job(kind="tests.first", max_attempts=1, takes_context=True)
    def first(ctx: JobContext) -> None:
        sentry_sdk.set_tag("order", "7")
        logging.getLogger("shop").error("it looks bad")
        raise LookupError

    @job(kind="tests.second", max_attempts=1)
    def second() -> None:
        raise LookupError

    first.using(priority=5).enqueue()
    second.enqueue()
    drain(threads=1)

    told = [(event["tags"]["job.kind"], event["tags"].get("order")) for event in events]
    assert told == [("tests.first", "7"), ("tests.first", "7"), ("tests.second", None)]


def test_each_job_of_a_chunk_that_failed_is_one_event_and_no_call_is(events: Events) -> None:
    """All calls that raise but the last only look for the one job that does not go."""

    @chunk_job(kind="tests.chunked", size=16, max_attempts=1)
    def chunked(chunk: Chunk[Any]) -> None:
        for item in chunk:
            match item.payload["number"]:
                case 3:
                    item.answer(LookupError("no such order"))
                case 6:
                    item.answer(Failed("it is closed"))
                case 11:
                    raise ValueError("odd")

    ids = chunked.enqueue_many({"number": number} for number in range(16)).ids
    drain()

    told = {event["contexts"]["job"]["id"]: event for event in events}
    assert sorted(told) == [ids[3], ids[6], ids[11]]
    assert len(events) == 3
    (error,) = told[ids[11]]["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "odd")
    (*_, frame) = error["stacktrace"]["frames"]
    assert (frame["function"], frame["context_line"]) == ("chunked", 'raise ValueError("odd")')
    assert told[ids[6]]["message"] == "it is closed"
    assert told[ids[3]]["tags"] == {
        "job.kind": "tests.chunked",
        "job.queue": "default",
        "job.attempt": "1",
    }


@pytest.mark.processes
def test_a_job_that_failed_in_a_child_is_one_event_whoever_noticed_it(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORGE_JOBS_TEST_IMPORTS", "tests.children.isolated")
    raised, died = isolated.ends.enqueue(how="raise"), isolated.ends.enqueue(how="exit")
    drain()

    told = {event["contexts"]["job"]["id"]: event for event in events}
    assert len(events) == 2
    (error,) = told[raised.pk]["exception"]["values"]
    assert (error["type"], error["value"]) == ("LookupError", "no such order")
    assert error["stacktrace"]["frames"][-1]["abs_path"].endswith("isolated.py")
    assert "before it had answered" in told[died.pk]["message"]


def test_what_nobody_should_read_of_a_chunk_is_in_no_event(events: Events) -> None:
    @chunk_job(kind="tests.chunked", size=4, redact=["pin"], max_attempts=1)
    def chunked(chunk: Chunk[Any]) -> None:
        copied = [item.payload["pin"] for item in chunk]
        logging.getLogger("shop").error("%s look bad", copied)
        raise ValueError(f"{copied} are wrong")

    chunked.enqueue_many({"pin": f"hunter{number}hunter"} for number in range(3))
    drain()

    assert len([event for event in events if "exception" in event]) == 3
    assert len([event for event in events if "look bad" in str(event)]) == 5
    assert "hunter" not in str(events)


def test_what_nobody_should_read_is_in_no_event(events: Events) -> None:
    @job(kind="tests.work", redact=["pin"], max_attempts=1)
    def work(pin: str) -> None:
        copied = [pin]
        raise ValueError(f"{copied} is wrong")

    work.enqueue(pin="hunter2hunter2")
    drain()

    (event,) = events
    assert "is wrong" in str(event)
    assert "hunter2" not in str(event)


def test_a_process_sends_what_it_has_left_before_it_ends(
    events: Events, transport: Kept, handle: Callable[..., Any]
) -> None:
    handle(lambda: None).enqueue()
    drain()

    assert transport.flushed == [FLUSH_SECONDS]
