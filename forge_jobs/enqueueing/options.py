"""The options of a job, one by one: taken as they are given, or refused by name."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final

from forge_jobs import clock, jsontext
from forge_jobs.conf import conf
from forge_jobs.conf.bounds import MAX_ATTEMPTS, MAX_PRIORITY, MIN_PRIORITY
from forge_jobs.durations import as_moment, as_timedelta
from forge_jobs.exceptions import InvalidOption, InvalidPayload, PayloadTooLarge, UnknownQueue
from forge_jobs.handlers.handler import UNSET, JobHandler, Unset
from forge_jobs.wording import listed, meant, quoted

MAX_KEY_LENGTH: Final = 200


def context_text(given: dict[str, Any]) -> str:
    """A context as it is stored; raises an `EnqueueError`."""
    if not isinstance(given, dict):
        raise InvalidOption(f"context must be a dictionary, not {quoted(given)}.", field="context")
    return json_text(given, "context")


def queue_name(given: str | None, handler: JobHandler) -> str:
    settings = conf()
    queue = given
    if queue is None:
        queue = handler.queue or settings.router(handler.kind) or "default"
    if not isinstance(queue, str) or queue not in settings.queues:
        whose = "" if given is not None or handler.queue else f", the router's for {handler.kind},"
        raise UnknownQueue(
            f'queue {quoted(queue)}{whose} is not declared in FORGE_JOBS["QUEUES"], which has '
            f"{listed(settings.queues)}.{meant(queue, settings.queues)}",
            field="queue",
        )
    return queue


def priority_of(given: int) -> int:
    if type(given) is not int or not MIN_PRIORITY <= given <= MAX_PRIORITY:
        raise InvalidOption(
            f"priority must be a whole number from {MIN_PRIORITY} to {MAX_PRIORITY}, "
            f"not {quoted(given)}.",
            field="priority",
        )
    return given


def moment_of(run_at: datetime | None, delay: timedelta | float | None) -> datetime | None:
    if delay is not None:
        if run_at is not None:
            raise InvalidOption("delay can't be given together with run_at.", field="delay")
        return clock.now() + duration_of(delay, "delay")
    if run_at is None:
        return None
    try:
        return as_moment(run_at, field="run_at", now=clock.now())
    except ValueError as error:
        raise InvalidOption(str(error), field="run_at") from None


def attempts_of(given: int | Unset | None, handler: JobHandler) -> int | None:
    if given is UNSET:
        given = handler.max_attempts
    if given is UNSET:
        return conf().max_attempts
    if given is not None and not (type(given) is int and 1 <= given <= MAX_ATTEMPTS):
        raise InvalidOption(
            f"max_attempts must be 1 to {MAX_ATTEMPTS:,}, or None for no limit, "
            f"not {quoted(given)}.",
            field="max_attempts",
        )
    return given


def timeout_seconds_of(given: timedelta | float | None, handler: JobHandler) -> float | None:
    if given is None:
        return handler.timeout.total_seconds() if handler.timeout else None
    seconds = duration_of(given, "timeout").total_seconds()
    if seconds == 0:
        raise InvalidOption("timeout must be longer than 0 seconds.", field="timeout")
    return seconds


def duration_of(given: timedelta | float, field: str) -> timedelta:
    try:
        return as_timedelta(given, field=field)
    except ValueError as error:
        raise InvalidOption(str(error), field=field) from None


def key_of(given: str | None, field: str) -> str | None:
    if given is None:
        return None
    if not isinstance(given, str) or not 0 < len(given) <= MAX_KEY_LENGTH:
        raise InvalidOption(
            f"{field} must be a string of 1 to {MAX_KEY_LENGTH} characters, not {quoted(given)}.",
            field=field,
        )
    if not jsontext.is_storable(given):
        raise InvalidOption(f"{field} can't be stored as text: {quoted(given)}.", field=field)
    return given


def concurrency_key_of(handler: JobHandler, payload: dict[str, Any]) -> str | None:
    key = handler.concurrency_key
    return key_of(key(payload) if callable(key) else key, "concurrency_key")


def json_text(value: dict[str, Any], field: str) -> str:
    try:
        text = jsontext.dumps(value, name=field)
    except jsontext.NotJSON as error:
        raise InvalidPayload(str(error), field=field) from None
    limit = conf().max_payload_bytes
    if len(text) * 4 > limit and jsontext.size(text) > limit:
        raise PayloadTooLarge(
            f"{field} has {jsontext.size(text):,} bytes, more than the {limit:,} of "
            f'FORGE_JOBS["MAX_PAYLOAD_BYTES"]. Store the data and pass its key.',
            field=field,
        )
    return text
