"""Failed runs as events of Sentry's, one for each, with their kind, queue and attempt.

For `FORGE_JOBS["MIDDLEWARE"]`: `tracking`.
"""

from __future__ import annotations

import re
from collections import deque
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

import sentry_sdk
from sentry_sdk.scope import add_global_event_processor

from forge_jobs import redaction
from forge_jobs.context import JobContext
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import JobKilled
from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.handlers.middleware import Around, middleware
from forge_jobs.handlers.outcomes import Dead, Failed, Interrupted, Outcome
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.secrecy import names_of, secrets_of
from forge_jobs.signals import job_failed, process_stopped

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

    from forge_jobs.runtime.settlements import Finished

MOST_REMEMBERED: Final = 1_000
FLUSH_SECONDS: Final = 5.0

TRACEBACK: Final = "Traceback (most recent call last):"
FRAME: Final = re.compile(r'^  File "(.+)", line (\d+), in (.+)(?:\n    (.+))?', re.MULTILINE)

_told: Final[deque[tuple[int, int]]] = deque(maxlen=MOST_REMEMBERED)
"""Of which jobs and attempts there is an event; the log has a line for the last of a job's, too."""
_telling: Final = Lock()


@middleware
def tracking(ctx: JobContext) -> Around:
    """Tell what was raised, and what was returned as `Failed` or `Dead`.

    Of a chunk and of a child the outcomes are told, once they are stored: a call is not a run, and
    what a child has told of, its process does not know.
    """
    with sentry_sdk.isolation_scope() as scope:
        scope.set_transaction_name(ctx.kind, source="task")
        scope.set_tags({f"job.{name}": str(value) for name, value in _fields(ctx).items()})
        scope.set_context("job", {"id": ctx.job_id, "process": ctx.process_name, **_fields(ctx)})
        scope.add_event_processor(partial(_without_secrets, ctx=ctx))
        is_told_here = not _is_told_when_stored(ctx.kind)
        try:
            outcome = yield
        except JobKilled:
            raise
        except BaseException as error:  # SystemExit and a timeout, too
            if is_told_here:
                _remember(ctx)
                sentry_sdk.capture_exception(error)
            raise
        if is_told_here and isinstance(outcome, Failed | Dead):
            _remember(ctx)
            sentry_sdk.capture_message(outcome.message, level="error")
    return None


def tell_stored(*, finished: Finished, **kwargs: Any) -> None:
    """One event for each job of a chunk, or of a child, that has failed, in which all is masked."""
    job = finished.job
    if not _is_told_when_stored(job.kind) or isinstance(finished.outcome, Interrupted):
        return
    with sentry_sdk.isolation_scope() as scope:
        scope.set_transaction_name(job.kind, source="task")
        fields = _fields(job)
        scope.set_tags({f"job.{name}": str(value) for name, value in fields.items()})
        scope.set_context("job", {"id": job.id, **fields})
        told = _told_of(finished.outcome, otherwise=finished.transition.last_error)
        sentry_sdk.capture_event({"level": "error", **told})


def _is_told_when_stored(kind: str) -> bool:
    handler = registry.find(kind)
    return isinstance(handler, ChunkHandler) or bool(handler and handler.isolation)


def _told_of(outcome: Outcome, *, otherwise: str) -> Event:
    """An exception as it is known from its texts: of a frame there are no variables."""
    if not (isinstance(outcome, Failed | Dead) and outcome.exception):
        return {"message": otherwise}
    module, _, name = outcome.exception.rpartition(".")
    value = outcome.message.removeprefix(f"{module}.").removeprefix(f"{name}: ")
    frames = [
        {"abs_path": path, "filename": path, "lineno": int(line), "function": where} | _line(code)
        for path, line, where, code in FRAME.findall(outcome.traceback.rpartition(TRACEBACK)[2])
    ]
    raised: dict[str, Any] = {"type": name, "module": module, "value": value}
    if frames:
        raised["stacktrace"] = {"frames": frames}
    return {"exception": {"values": [raised]}}


def _line(code: str) -> dict[str, str]:
    return {"context_line": code} if code else {}


def _remember(ctx: JobContext) -> None:
    with _telling:
        _told.append((ctx.job_id, ctx.attempt))


def _fields(ctx: JobContext | ClaimedJob) -> dict[str, Any]:
    return {"kind": ctx.kind, "queue": ctx.queue, "attempt": ctx.attempt}


def _without_secrets(event: Event, hint: Hint, *, ctx: JobContext) -> Event:
    """Without what nobody should read: it stands in variables of frames and in messages."""
    if not (names := names_of(ctx.kind)):
        return event
    secrets = secrets_of(ctx.together or [ctx.job])
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
        is_told = (line["job_id"], line["attempt"]) in _told
    return None if is_told or _is_told_when_stored(line["kind"]) else event


def _flush(**kwargs: Any) -> None:
    """Send what waits to be sent: a supervised process ends without the work of an exit."""
    sentry_sdk.flush(timeout=FLUSH_SECONDS)


add_global_event_processor(_once)
job_failed.connect(tell_stored, dispatch_uid=f"{__name__}.tell_stored")
process_stopped.connect(_flush, dispatch_uid=f"{__name__}.flush")
