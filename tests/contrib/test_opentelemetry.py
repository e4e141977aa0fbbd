"""Traces of jobs: what spans there are, whose children, linked to what, and what they tell."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from opentelemetry import baggage, context, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from pytest_django import Settings

from forge_jobs import (
    Chunk,
    Dead,
    Done,
    Failed,
    JobContext,
    NewJob,
    Throttled,
    chunk_job,
    enqueue_many,
    job,
)
from forge_jobs.contrib import opentelemetry
from forge_jobs.exceptions import InvalidPayload
from forge_jobs.models import Job
from forge_jobs.testing import drain, frozen_at
from tests.conftest import NOON
from tests.running import drain as drain_with_threads

pytestmark = pytest.mark.django_db(transaction=True)

MODULE = "forge_jobs.contrib.opentelemetry"


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[TracerProvider]:
    """In place of that of the process, of which OpenTelemetry takes only one."""
    provider = TracerProvider(shutdown_on_exit=False)
    monkeypatch.setattr(opentelemetry, "_tracer", provider.get_tracer("forge_jobs"))
    yield provider
    provider.shutdown()


@pytest.fixture
def spans(provider: TracerProvider, settings: Settings) -> InMemorySpanExporter:
    """Those that have ended, while `tracing` is installed."""
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MIDDLEWARE": [f"{MODULE}.tracing"]}
    return exporter


def named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def only(spans: InMemorySpanExporter, name: str) -> ReadableSpan:
    (span,) = named(spans, name)
    return span


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def attributes(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def linked_to(span: ReadableSpan) -> list[int]:
    return [link.context.span_id for link in span.links]


@pytest.fixture(params=["function", "coroutine"])
def handle(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Makes a handler, of either sort, of what it is to return."""

    def handle(work: Callable[[], object], **options: Any) -> Any:
        def function() -> object:
            return work()

        async def coroutine() -> object:
            return work()

        made: Any = function if request.param == "function" else coroutine
        decorate: Any = job(kind="tests.work", **options)
        return decorate(made)

    return handle


def test_a_run_is_a_child_of_its_enqueue(
    provider: TracerProvider, spans: InMemorySpanExporter, handle: Callable[..., Any]
) -> None:
    with provider.get_tracer("tests").start_as_current_span("request"):
        stored = handle(lambda: None).enqueue()
    drain_with_threads()

    request, enqueued, run = (
        only(spans, name) for name in ("request", "enqueue tests.work", "run tests.work")
    )
    assert parent(enqueued) == request.context.span_id
    assert parent(run) == enqueued.context.span_id
    assert (enqueued.kind, run.kind) == (SpanKind.PRODUCER, SpanKind.CONSUMER)
    assert attributes(enqueued) == {
        "messaging.system": "forge_jobs",
        "messaging.operation.name": "enqueue",
        "messaging.operation.type": "send",
        "messaging.destination.name": "default",
        "forge_jobs.kind": "tests.work",
    }
    assert attributes(run) == {
        "messaging.system": "forge_jobs",
        "messaging.operation.name": "run",
        "messaging.operation.type": "process",
        "messaging.destination.name": "default",
        "messaging.message.id": str(stored.pk),
        "messaging.client.id": "tested",
        "forge_jobs.kind": "tests.work",
        "forge_jobs.attempt": 1,
        "forge_jobs.outcome": "done",
    }
    assert run.status.status_code is StatusCode.UNSET


def test_what_happens_in_a_run_is_below_its_span(
    provider: TracerProvider, spans: InMemorySpanExporter, handle: Callable[..., Any]
) -> None:
    @job(kind="tests.more")
    def more() -> None: ...

    def work() -> None:
        with provider.get_tracer("tests").start_as_current_span("inside"):
            pass

    @job(kind="tests.first")
    def first() -> None:
        work()
        more.enqueue()

    first.enqueue()
    handle(work).enqueue()
    drain()

    assert len({span.context.trace_id for span in spans.get_finished_spans()}) == 2
    assert only(spans, "enqueue tests.more").parent == only(spans, "run tests.first").context
    parents = [span.parent for span in named(spans, "inside")]
    assert parents == [only(spans, f"run tests.{name}").context for name in ("first", "work")]


def test_a_run_that_is_only_linked_has_a_trace_of_its_own(
    spans: InMemorySpanExporter, settings: Settings, handle: Callable[..., Any]
) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MIDDLEWARE": [f"{MODULE}.linked_tracing"]}
    handle(lambda: None).enqueue()
    drain()

    enqueued, run = only(spans, "enqueue tests.work"), only(spans, "run tests.work")
    assert run.parent is None
    assert run.context.trace_id != enqueued.context.trace_id
    assert linked_to(run) == [enqueued.context.span_id]


def test_a_retry_is_linked_to_its_enqueue_and_the_exception_is_recorded(
    spans: InMemorySpanExporter, handle: Callable[..., Any]
) -> None:
    def fail() -> None:
        raise LookupError("no such order")

    with frozen_at(NOON) as clock:
        handle(fail, max_attempts=2).enqueue()
        clock.advance(days=1)

    enqueued, (first, second) = only(spans, "enqueue tests.work"), named(spans, "run tests.work")
    assert parent(first) == enqueued.context.span_id
    assert second.parent is None
    assert linked_to(second) == [enqueued.context.span_id]
    assert [attributes(run)["forge_jobs.attempt"] for run in (first, second)] == [1, 2]
    for run in (first, second):
        (event,) = run.events
        told = dict(event.attributes or {})
        assert event.name == "exception"
        assert told["exception.type"] == "builtins.LookupError"
        assert told["exception.message"] == "LookupError: no such order"
        assert 'raise LookupError("no such order")' in str(told["exception.stacktrace"])
        assert attributes(run)["error.type"] == "builtins.LookupError"
        assert run.status.status_code is StatusCode.ERROR
        assert run.status.description == "LookupError: no such order"


@pytest.mark.parametrize(
    ("outcome", "code", "told"),
    [
        (Done(1), StatusCode.UNSET, {"forge_jobs.outcome": "done"}),
        (Throttled(60), StatusCode.UNSET, {"forge_jobs.outcome": "throttled"}),
        (Failed("no"), StatusCode.ERROR, {"forge_jobs.outcome": "failed", "error.type": "Failed"}),
        (Dead("no"), StatusCode.ERROR, {"forge_jobs.outcome": "dead", "error.type": "Dead"}),
    ],
)
def test_a_span_tells_what_the_run_came_to(
    outcome: Any,
    code: StatusCode,
    told: dict[str, str],
    spans: InMemorySpanExporter,
    handle: Callable[..., Any],
) -> None:
    handle(lambda: outcome, max_attempts=1).enqueue()
    drain()

    run = only(spans, "run tests.work")
    assert run.status.status_code is code
    assert told.items() <= attributes(run).items()
    assert not run.events


def test_many_jobs_of_a_kind_have_one_span(spans: InMemorySpanExporter) -> None:
    @job(kind="tests.one")
    def one(number: int) -> None: ...

    @job(kind="tests.other")
    def other() -> None: ...

    enqueue_many([*(one.new(number) for number in range(3)), NewJob(other)])
    drain()

    enqueued = only(spans, "enqueue tests.one")
    assert attributes(enqueued)["messaging.batch.message_count"] == 3
    assert "messaging.batch.message_count" not in (
        only(spans, "enqueue tests.other").attributes or {}
    )
    assert set(map(parent, named(spans, "run tests.one"))) == {enqueued.context.span_id}


@pytest.mark.parametrize("layer", ["tracing", "linked_tracing"])
def test_baggage_comes_along(
    layer: str, spans: InMemorySpanExporter, settings: Settings, handle: Callable[..., Any]
) -> None:
    settings.FORGE_JOBS = {**settings.FORGE_JOBS, "MIDDLEWARE": [f"{MODULE}.{layer}"]}
    carried: list[object] = []
    handler = handle(lambda: carried.append(baggage.get_baggage("tenant")))
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    try:
        handler.enqueue()
    finally:
        context.detach(token)
    drain_with_threads()

    assert carried == ["acme"]


def test_nothing_of_a_run_is_left_for_the_next(
    spans: InMemorySpanExporter,
    settings: Settings,
    handle: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
) -> None:
    carried: list[object] = []

    @job(kind="tests.older")
    def older() -> None:
        carried.append(baggage.get_all())

    traced = settings.FORGE_JOBS
    settings.FORGE_JOBS = {**traced, "MIDDLEWARE": []}
    older.enqueue()
    settings.FORGE_JOBS = traced
    token = context.attach(baggage.set_baggage("tenant", "acme"))
    handle(lambda: None).using(priority=5).enqueue()
    context.detach(token)
    drain_with_threads(threads=1)

    run = only(spans, "run tests.older")
    assert (run.parent, run.links) == (None, ())
    assert carried == [{}]
    assert "Failed to detach context" not in caplog.text


def test_headers_that_a_caller_has_given_stay(spans: InMemorySpanExporter) -> None:
    header = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    @job(kind="tests.work")
    def work() -> None: ...

    stored = work.using(context={"traceparent": header, "origin": "a gateway"}).enqueue()
    drain()

    assert stored.context == {"traceparent": header, "origin": "a gateway"}
    assert f"{only(spans, 'run tests.work').context.trace_id:032x}" in header


def test_what_nobody_should_read_is_not_in_a_trace(spans: InMemorySpanExporter) -> None:
    @job(kind="tests.work", redact=["pin"], max_attempts=1)
    def work(pin: str) -> None:
        raise ValueError(f"{pin} is wrong")

    work.enqueue(pin="hunter2hunter2")
    drain()

    run = only(spans, "run tests.work")
    assert "ValueError" in str(run.status.description)
    assert "hunter2" not in run.to_json()


def test_an_exception_that_can_not_be_told_is_told_all_the_same(
    spans: InMemorySpanExporter,
) -> None:
    class Untellable(Exception):
        def __str__(self) -> str:
            raise SystemExit

    @job(kind="tests.work", max_attempts=1)
    def work() -> None:
        raise Untellable

    work.enqueue()
    drain()

    assert "Untellable" in str(only(spans, "run tests.work").status.description)
    assert Job.objects.get().last_error


def test_each_call_of_a_chunk_is_a_span_of_the_first_job_that_it_is_for(
    spans: InMemorySpanExporter,
) -> None:
    @chunk_job(kind="tests.chunked", size=4, max_attempts=1)
    def chunked(chunk: Chunk[Any]) -> None:
        if {"number": 2} in chunk.payloads:
            raise ValueError("two")

    first, _, bad, _ = chunked.enqueue_many({"number": number} for number in range(4)).ids
    drain_with_threads()

    told = [attributes(run) for run in named(spans, "run tests.chunked")]
    jobs = [(int(one["messaging.message.id"]), one["forge_jobs.outcome"]) for one in told]
    assert sorted(jobs) == [
        (first, "done"),
        (first, "failed"),
        (bad, "failed"),
        (bad, "failed"),
        (bad + 1, "done"),
    ]


def test_what_is_refused_leaves_no_span(spans: InMemorySpanExporter) -> None:
    @job(kind="tests.work")
    def work() -> None: ...

    with pytest.raises(InvalidPayload):
        work.enqueue_many([{"surprise": 1}])

    assert spans.get_finished_spans() == ()


def test_a_process_sends_what_it_has_left_before_it_ends(
    provider: TracerProvider, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    late = InMemorySpanExporter()
    provider.add_span_processor(BatchSpanProcessor(late, schedule_delay_millis=3_600_000))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)

    @job(kind="tests.work")
    def work() -> None: ...

    work.enqueue()
    drain_with_threads()

    assert len(named(late, "run tests.work")) == 1


class Collector(BaseHTTPRequestHandler):
    """Takes what an OTLP exporter sends."""

    received: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        request = ExportTraceServiceRequest()
        request.ParseFromString(self.rfile.read(int(self.headers["Content-Length"])))
        Collector.received += [
            span.name
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: Any) -> None: ...


@pytest.fixture
def collector() -> Iterator[tuple[str, list[str]]]:
    """Where one listens, and the names of the spans that it has got."""
    Collector.received.clear()
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", Collector.received
        server.shutdown()
        thread.join()


def test_a_collector_gets_them(
    provider: TracerProvider, spans: InMemorySpanExporter, collector: tuple[str, list[str]]
) -> None:
    address, received = collector
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=address)))

    @job(kind="tests.work")
    def work(ctx: JobContext | None = None) -> None: ...

    work.enqueue()
    drain()

    assert received == ["enqueue tests.work", "run tests.work"]


def test_what_nobody_should_read_of_any_job_of_a_chunk_is_in_no_span(
    spans: InMemorySpanExporter,
) -> None:
    @chunk_job(kind="tests.chunked", size=4, redact=["pin"], max_attempts=1)
    def chunked(chunk: Chunk[Any]) -> None:
        raise ValueError(f"{[item.payload['pin'] for item in chunk]} are wrong")

    chunked.enqueue_many({"pin": f"hunter{number}hunter"} for number in range(3))
    drain_with_threads()

    told = [run.to_json() for run in named(spans, "run tests.chunked")]
    assert all("are wrong" in text for text in told)
    assert "hunter" not in str(told)
