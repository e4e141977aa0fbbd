"""A job before it is stored: its options checked and its defaults filled in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from forge_jobs import clock
from forge_jobs.db.rows import Extras, NewRow
from forge_jobs.enqueueing.extras import extras_of
from forge_jobs.enqueueing.options import (
    attempts_of,
    concurrency_key_of,
    context_text,
    json_text,
    key_of,
    moment_of,
    priority_of,
    queue_name,
    timeout_seconds_of,
)
from forge_jobs.enqueueing.place import Place, place_of
from forge_jobs.exceptions import InvalidOption, InvalidPayload
from forge_jobs.handlers.handler import UNSET, JobHandler, JobOptions, Unset
from forge_jobs.handlers.registry import registry
from forge_jobs.states import State
from forge_jobs.wording import listed, meant, quoted

if TYPE_CHECKING:
    from forge_jobs.enqueueing.place import Predecessors
    from forge_jobs.models import Batch


SCHEDULED: Final = State.SCHEDULED.value
READY: Final = State.READY.value
BLOCKED: Final = State.BLOCKED.value
HELD: Final = State.HELD.value
"""As plain texts, which the driver takes in a third of the time."""


class Draft(NamedTuple):
    """All of a job but its payload; one draft serves any number of payloads."""

    handler: JobHandler
    queue: str
    priority: int
    state: str
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
        moment = moment_of(run_at, delay)
        place = place_of(batch, after=after, after_end=after_end, after_failure=after_failure)
        return cls(
            handler=handler,
            queue=queue_name(queue, handler),
            priority=handler.priority if priority is None else priority_of(priority),
            state=_state(moment, place),
            run_at=moment,
            max_attempts=attempts_of(max_attempts, handler),
            timeout_seconds=timeout_seconds_of(timeout, handler),
            dedupe_key=key_of(dedupe_key, "dedupe_key"),
            idempotency_key=key_of(idempotency_key, "idempotency_key"),
            concurrency_key=key_of(concurrency_key, "concurrency_key"),
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
        text = json_text(payload, "payload")
        key = self.concurrency_key or concurrency_key_of(self.handler, payload)
        return NewRow(
            self.queue,
            self.handler.kind,
            text,
            self.priority,
            BLOCKED if key and self.state == READY else self.state,
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


def _state(moment: datetime | None, place: Place | None) -> str:
    if place and place.after:
        return HELD
    return SCHEDULED if moment and moment > clock.now() else READY


def _unknown_option(name: str) -> InvalidOption:
    known = JobOptions.__annotations__
    hint = meant(name, known) or (
        f" If it belongs to the payload, write enqueue(kind, {{{name!r}: ...}}), or "
        f"handler.enqueue({name}=...)."
    )
    return InvalidOption(
        f"{name} is no option of jobs.{hint} There are {listed(known)}.", field=name
    )
