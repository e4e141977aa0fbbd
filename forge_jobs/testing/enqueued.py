"""What a test expects to have been enqueued, and what it reads where that is not so."""

from __future__ import annotations

from typing import Any, Final

from forge_jobs.exceptions import UnreadablePayload
from forge_jobs.handlers.function import FunctionHandler
from forge_jobs.handlers.handler import JobHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job
from forge_jobs.wording import quoted

MOST_TOLD: Final = 20


def enqueued(handler: str | JobHandler, /, **payload: Any) -> list[Job]:
    """The jobs of a kind whose payload has these values, in whatever state, the oldest first.

    Raises `InvalidPayload` for a name that no payload of the handler can have.
    """
    found = registry.get(handler)
    if isinstance(found, FunctionHandler):
        found.check(dict.fromkeys(found.signature.required) | payload)
    jobs = Job.objects.filter(kind=found.kind).order_by("pk")
    if found.validate and isinstance(found, FunctionHandler):
        payload = found.annotated.read(found.as_json(payload))
        return [job for job in jobs if _fits(_read(found, job), payload)]
    return [job for job in jobs if _fits(dict(_items(job)), payload)]


def assert_enqueued(handler: str | JobHandler, /, **payload: Any) -> Job:
    """That a job of a kind was enqueued, and its payload has these values; returns the newest."""
    if not (jobs := enqueued(handler, **payload)):
        raise AssertionError(f"No job was enqueued of {_described(handler, payload)}. {_told()}")
    return jobs[-1]


def assert_not_enqueued(handler: str | JobHandler, /, **payload: Any) -> None:
    """That no job of a kind was enqueued whose payload has these values."""
    if jobs := enqueued(handler, **payload):
        raise AssertionError(
            f"{len(jobs)} of {_described(handler, payload)} were enqueued. {_told()}"
        )


def _read(handler: FunctionHandler[..., Any], job: Job) -> dict[str, Any]:
    try:
        return handler.annotated.read(dict(_items(job)))
    except UnreadablePayload:  # put there by other means than an enqueue
        return {}


def _fits(payload: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return all(name in payload and payload[name] == value for name, value in wanted.items())


def _items(job: Job) -> Any:
    return job.payload.items() if isinstance(job.payload, dict) else {}.items()


def _described(handler: str | JobHandler, payload: dict[str, Any]) -> str:
    return _call(registry.get(handler).kind, payload)


def _call(kind: str, payload: dict[str, Any]) -> str:
    values = ", ".join(f"{name}={quoted(value)}" for name, value in payload.items())
    return f"{kind} with {values}" if values else kind


def _told() -> str:
    jobs = list(Job.objects.order_by("pk")[: MOST_TOLD + 1])
    if not jobs:
        return "Nothing was enqueued."
    lines = [f"  {_call(job.kind, dict(_items(job)))} ({job.queue}, {job.state})" for job in jobs]
    if len(lines) > MOST_TOLD:
        lines[MOST_TOLD:] = [f"  … and {Job.objects.count() - MOST_TOLD} more"]
    return "\n".join(["What was enqueued:", *lines])
