"""A job before it is stored: its options checked and its defaults filled in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, Self

from forge_jobs import clock, jsontext
from forge_jobs.conf import conf
from forge_jobs.conf.bounds import MAX_ATTEMPTS, MAX_PRIORITY, MIN_PRIORITY
from forge_jobs.db.rows import Extras, NewRow
from forge_jobs.durations import as_moment, as_timedelta
from forge_jobs.enqueueing.extras import extras_of
from forge_jobs.enqueueing.place import Place, place_of
from forge_jobs.exceptions import InvalidOption, InvalidPayload, PayloadTooLarge, UnknownQueue
from forge_jobs.handlers.handler import UNSET, JobHandler, JobOptions, Unset
from forge_jobs.handlers.registry import registry
from forge_jobs.states import State
from forge_jobs.wording import listed, meant, quoted

if TYPE_CHECKING:
    from forge_jobs.enqueueing.place import Predecessors
    from forge_jobs.models import Batch

MAX_KEY_LENGTH: Final = 200


@dataclass(frozen=True, slots=True)
class Draft:
    """All of a job but its payload; one draft serves any number of payloads."""

    handler: JobHandler
    queue: str
    priority: int
    state: State
    run_at: datetime | None
    max_attempts: int | None
    timeout_seconds: float | None
    dedupe_key: str | None
    idempotency_key: str | None
    concurrency_key: str | None
    context: str
    place: Place | None
    extras: Extras | None

    @classmethod
    def of(
        cls,
        kind: str | JobHandler,
        *,
        queue: str | None = None,
        priority: int | None = None,
        run_at: datetime | None = None,
        delay: timedelta | float | None = None,
        max_attempts: int | Unset | None = UNSET,
        timeout: timedelta | float | None = None,
        dedupe_key: str | None = None,
        idempotency_key: str | None = None,
        concurrency_key: str | None = None,
        context: dict[str, Any] | None = None,
        batch: Batch | int | None = None,
        after: Predecessors | None = None,
        after_end: Predecessors | None = None,
        after_failure: Predecessors | None = None,
        expires_at: datetime | None = None,
        expires_in: timedelta | float | None = None,
        on_duplicate: str = "keep",
        labels: Iterable[str] = (),
        **unknown: object,
    ) -> Self:
        """Raises an `EnqueueError` that names the field."""
        registered = registry.get(kind)
        if unknown:
            raise _unknown_option(next(iter(unknown)))
        handler = kind if isinstance(kind, JobHandler) else registered
        moment = _moment(run_at, delay)
        place = place_of(batch, after=after, after_end=after_end, after_failure=after_failure)
        return cls(
            handler=handler,
            queue=_queue(queue, handler),
            priority=handler.priority if priority is None else _priority(priority),
            state=_state(moment, place),
            run_at=moment,
            max_attempts=_max_attempts(max_attempts, handler),
            timeout_seconds=_seconds(timeout, handler),
            dedupe_key=_key(dedupe_key, "dedupe_key"),
            idempotency_key=_key(idempotency_key, "idempotency_key"),
            concurrency_key=_key(concurrency_key, "concurrency_key"),
            context="{}" if context is None else context_text(context),
            place=place,
            extras=extras_of(
                handler,
                run_at=moment,
                expires_at=expires_at,
                expires_in=expires_in,
                labels=labels,
                on_duplicate=on_duplicate,
                dedupe_key=dedupe_key,
                idempotency_key=idempotency_key,
                place=place,
            ),
        )

    def row(self, payload: dict[str, Any]) -> NewRow:
        """The row to insert for one payload; raises `InvalidPayload`."""
        if not isinstance(payload, dict):
            raise InvalidPayload(
                f"payload must be a dictionary, the handler's keyword arguments, "
                f"not {quoted(payload)}.",
                field="payload",
            )
        payload = self.handler.stored(payload)
        text = _json(payload, "payload")
        key = self.concurrency_key or _concurrency_key(self.handler, payload)
        return NewRow(
            self.queue,
            self.handler.kind,
            text,
            self.priority,
            State.BLOCKED if key and self.state is State.READY else self.state,
            self.run_at,
            self.max_attempts,
            self.timeout_seconds,
            self.dedupe_key,
            self.idempotency_key,
            self.context,
            key,
            self.handler.concurrency_limit if key else None,
            extras=self.extras,
        )


def _state(moment: datetime | None, place: Place | None) -> State:
    if place and place.after:
        return State.HELD
    return State.SCHEDULED if moment and moment > clock.now() else State.READY


def _unknown_option(name: str) -> InvalidOption:
    known = JobOptions.__annotations__
    hint = meant(name, known) or (
        f" If it belongs to the payload, write enqueue(kind, {{{name!r}: ...}}), or "
        f"handler.enqueue({name}=...)."
    )
    return InvalidOption(
        f"{name} is no option of jobs.{hint} There are {listed(known)}.", field=name
    )


def context_text(given: dict[str, Any]) -> str:
    """A context as it is stored; raises an `EnqueueError`."""
    if not isinstance(given, dict):
        raise InvalidOption(f"context must be a dictionary, not {quoted(given)}.", field="context")
    return _json(given, "context")


def _queue(given: str | None, handler: JobHandler) -> str:
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


def _priority(given: int) -> int:
    if type(given) is not int or not MIN_PRIORITY <= given <= MAX_PRIORITY:
        raise InvalidOption(
            f"priority must be a whole number from {MIN_PRIORITY} to {MAX_PRIORITY}, "
            f"not {quoted(given)}.",
            field="priority",
        )
    return given


def _moment(run_at: datetime | None, delay: timedelta | float | None) -> datetime | None:
    if delay is not None:
        if run_at is not None:
            raise InvalidOption("delay can't be given together with run_at.", field="delay")
        return clock.now() + _duration(delay, "delay")
    if run_at is None:
        return None
    try:
        return as_moment(run_at, field="run_at", now=clock.now())
    except ValueError as error:
        raise InvalidOption(str(error), field="run_at") from None


def _max_attempts(given: int | Unset | None, handler: JobHandler) -> int | None:
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


def _seconds(given: timedelta | float | None, handler: JobHandler) -> float | None:
    if given is None:
        return handler.timeout.total_seconds() if handler.timeout else None
    seconds = _duration(given, "timeout").total_seconds()
    if seconds == 0:
        raise InvalidOption("timeout must be longer than 0 seconds.", field="timeout")
    return seconds


def _duration(given: timedelta | float, field: str) -> timedelta:
    try:
        return as_timedelta(given, field=field)
    except ValueError as error:
        raise InvalidOption(str(error), field=field) from None


def _key(given: str | None, field: str) -> str | None:
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


def _concurrency_key(handler: JobHandler, payload: dict[str, Any]) -> str | None:
    key = handler.concurrency_key
    return _key(key(payload) if callable(key) else key, "concurrency_key")


def _json(value: dict[str, Any], field: str) -> str:
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
