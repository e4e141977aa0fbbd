"""Failed runs as events of Sentry's, one for each, with their kind, queue and attempt.

For `FORGE_JOBS["MIDDLEWARE"]`: `tracking`.
"""

from __future__ import annotations

import json
from collections import deque
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import sentry_sdk
from sentry_sdk.scope import add_global_event_processor

from forge_jobs import redaction
from forge_jobs.context import JobContext
from forge_jobs.exceptions import JobKilled
from forge_jobs.handlers.middleware import Around, middleware
from forge_jobs.handlers.outcomes import Dead, Failed
from forge_jobs.handlers.secrecy import names_of
from forge_jobs.signals import process_stopped

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

MOST_REMEMBERED: Final = 1_000
FLUSH_SECONDS: Final = 5.0

_told: Final[deque[tuple[int, int]]] = deque(maxlen=MOST_REMEMBERED)
"""Of which jobs and attempts there is an event; the log has a line for the last of a job's, too."""
_telling: Final = Lock()


@middleware
def tracking(ctx: JobContext) -> Around:
    """Tell what was raised, and what was returned as `Failed` or `Dead`."""
    with sentry_sdk.isolation_scope() as scope:
        scope.set_transaction_name(ctx.kind, source="task")
        scope.set_tags({f"job.{name}": str(value) for name, value in _fields(ctx).items()})
        scope.set_context("job", {"id": ctx.job_id, "process": ctx.process_name, **_fields(ctx)})
        scope.add_event_processor(partial(_without_secrets, ctx=ctx))
        try:
            outcome = yield
        except JobKilled:
            raise
        except BaseException as error:  # SystemExit and a timeout, too
            _remember(ctx)
            sentry_sdk.capture_exception(error)
            raise
        if isinstance(outcome, Failed | Dead):
            _remember(ctx)
            sentry_sdk.capture_message(outcome.message, level="error")
    return None


def _remember(ctx: JobContext) -> None:
    with _telling:
        _told.append((ctx.job_id, ctx.attempt))


def _fields(ctx: JobContext) -> dict[str, Any]:
    return {"kind": ctx.kind, "queue": ctx.queue, "attempt": ctx.attempt}


def _without_secrets(event: Event, hint: Hint, *, ctx: JobContext) -> Event:
    """Without what nobody should read: it stands in variables of frames and in messages."""
    if not (names := names_of(ctx.kind)):
        return event
    secrets = redaction.secrets([json.loads(ctx.job.payload), ctx.context], names)
    masked: Event = _masked(redaction.hidden(event, names), secrets)
    return masked


def _masked(value: Any, secrets: list[str]) -> Any:
    match value:
        case str():
            return redaction.masked(value, secrets)
        case dict():
            return {key: _masked(item, secrets) for key, item in value.items()}
        case list() | tuple():
            return [_masked(item, secrets) for item in value]
    return value


def _once(event: Event, hint: Hint) -> Event | None:
    """Nothing for the line that says how a run ended of which there is an event."""
    line = vars(record) if (record := hint.get("log_record")) else {}
    if line.get("name") != "forge_jobs" or "state" not in line:
        return event
    with _telling:
        return None if (line["job_id"], line["attempt"]) in _told else event


def _flush(**kwargs: Any) -> None:
    """Send what waits to be sent: a supervised process ends without the work of an exit."""
    sentry_sdk.flush(timeout=FLUSH_SECONDS)


add_global_event_processor(_once)
process_stopped.connect(_flush, dispatch_uid=f"{__name__}.flush")
