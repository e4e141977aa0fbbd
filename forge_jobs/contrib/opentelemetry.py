"""Traces by OpenTelemetry: a span where jobs are enqueued, and one for each of their runs.

For `FORGE_JOBS["MIDDLEWARE"]`: `tracing`, or `linked_tracing`. Attributes are those of the semantic
conventions for messaging, https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from threading import Thread
from typing import Any, Final

from opentelemetry import context, propagate, trace
from opentelemetry.context import Context
from opentelemetry.trace import Link, Span, SpanKind, StatusCode

from forge_jobs.context import JobContext
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.middleware import Around, Incoming, middleware
from forge_jobs.handlers.outcomes import Dead, Failed, Outcome
from forge_jobs.handlers.secrecy import without_secrets_of
from forge_jobs.signals import process_stopped

SYSTEM: Final = "forge_jobs"
FLUSH_SECONDS: Final = 5.0

_tracer: Final = trace.get_tracer(SYSTEM)


@middleware
def tracing(ctx: JobContext) -> Around:
    """A first run belongs to the trace of its enqueue; a retry has one of its own, linked to it."""
    origin = _origin(ctx)
    if ctx.attempt == 1:
        return (yield from _run(ctx, parent=origin, links=()))
    return (yield from _linked(ctx, origin=origin))


@middleware
def linked_tracing(ctx: JobContext) -> Around:
    """Each run has a trace of its own, linked to that of its enqueue."""
    return (yield from _linked(ctx, origin=_origin(ctx)))


@tracing.enqueueing
@linked_tracing.enqueueing
def trace_enqueue(jobs: list[Incoming]) -> None:
    """One span for all jobs of a kind and queue, which keep its context and the baggage."""
    for (kind, queue), count in Counter((job.kind, job.queue) for job in jobs).items():
        attributes = _attributes("enqueue", kind=kind, queue=queue)
        attributes["messaging.operation.type"] = "send"
        if count > 1:
            attributes["messaging.batch.message_count"] = count
        headers: dict[str, str] = {}
        name = f"enqueue {kind}"
        with _tracer.start_as_current_span(name, kind=SpanKind.PRODUCER, attributes=attributes):
            propagate.inject(headers)
        for job in jobs:
            if (job.kind, job.queue) == (kind, queue):
                job.context = {**headers, **job.context}


def _origin(ctx: JobContext) -> Context:
    """Where the job was enqueued, with the baggage from there."""
    return propagate.extract({k: value for k, value in ctx.context.items() if type(value) is str})


def _linked(ctx: JobContext, *, origin: Context) -> Around:
    enqueued = trace.get_current_span(origin).get_span_context()
    links = [Link(enqueued)] if enqueued.is_valid else []
    apart = trace.set_span_in_context(trace.INVALID_SPAN, origin)
    return (yield from _run(ctx, parent=apart, links=links))


def _run(ctx: JobContext, *, parent: Context, links: Sequence[Link]) -> Around:
    token = context.attach(parent)
    try:
        with _tracer.start_as_current_span(
            f"run {ctx.kind}",
            kind=SpanKind.CONSUMER,
            attributes=_of_run(ctx),
            links=links,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                outcome = yield
            except BaseException as error:  # killed and timed out runs, too
                _tell(span, failed(error), ctx)
                raise
            _tell(span, outcome, ctx)
    finally:
        context.detach(token)
    return None


def _attributes(operation: str, *, kind: str, queue: str) -> dict[str, Any]:
    return {
        "messaging.system": SYSTEM,
        "messaging.operation.name": operation,
        "messaging.destination.name": queue,
        "forge_jobs.kind": kind,
    }


def _of_run(ctx: JobContext) -> dict[str, Any]:
    return _attributes("run", kind=ctx.kind, queue=ctx.queue) | {
        "messaging.operation.type": "process",
        "messaging.message.id": str(ctx.job_id),
        "messaging.client.id": ctx.process_name,
        "forge_jobs.attempt": ctx.attempt,
    }


def _tell(span: Span, outcome: Outcome, ctx: JobContext) -> None:
    """What the run came to; of a failure no more than the job itself would tell."""
    if not span.is_recording():
        return
    span.set_attribute("forge_jobs.outcome", type(outcome).__name__.lower())
    told = without_secrets_of(ctx.together or [ctx.job], outcome)
    if not isinstance(told, Failed | Dead):
        return
    span.set_status(StatusCode.ERROR, told.message)
    span.set_attribute("error.type", told.exception or type(outcome).__name__)
    if told.exception:
        span.add_event(
            "exception",
            {
                "exception.type": told.exception,
                "exception.message": told.message,
                "exception.stacktrace": told.traceback,
            },
        )


def _flush(**kwargs: Any) -> None:
    """Send what waits to be sent: a supervised process ends without the work of an exit.

    The SDK does not keep to the time that its own flush is given.
    """
    if flush := getattr(trace.get_tracer_provider(), "force_flush", None):
        thread = Thread(target=flush, name="forge_jobs-traces", daemon=True)
        thread.start()
        thread.join(FLUSH_SECONDS)


process_stopped.connect(_flush, dispatch_uid=f"{__name__}.flush")
