"""Calls a function for each job that comes, and says in lines what it does and what it came to."""

from __future__ import annotations

import json
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from threading import Lock
from typing import IO, Any, Final

from forge_jobs import jsontext
from forge_jobs.handlers.answers import LEVELS
from forge_jobs.handlers.border import failed, own
from forge_jobs.handlers.outcomes import (
    Cancelled,
    Dead,
    Done,
    Failed,
    Outcome,
    Snoozed,
    Throttled,
)

PROGRESS_SECONDS: Final = 0.1
"""What is told of progress more often is not said, but for the last before the answer."""

_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


def serve(function: Callable[..., Any]) -> None:
    """Run jobs until there are no more: the payload becomes the function's keyword arguments.

    It may return JSON, or return or raise an outcome. What it prints goes to stderr, and what it
    logs is told with its level, unless the root logger has been set up before.
    """
    line.take_streams()
    log_to_parent()
    line.say(ready=True)
    for request in line.inbox:
        job = json.loads(request)
        line.begin(job["id"])
        line.end(answered(partial(function, **job["payload"])))


def progress(done: float, total: float | None = None, message: str = "") -> None:
    """Tell how far the job that runs has come, as `JobContext.progress()` does."""
    line.tell_progress({"done": done, "total": total, "message": message})


def log_to_parent() -> None:
    """Let what is logged go to the parent, unless somebody has said where it goes."""
    if not logging.getLogger().handlers:
        logging.basicConfig(level=logging.INFO, handlers=[Told()], format="%(message)s")


def answered(call: Callable[[], Any]) -> dict[str, Any]:
    """What a call comes to, as a child says it."""
    try:
        returned = call()
        return answer(own(returned) if isinstance(returned, Outcome) else Done(returned))
    except Outcome as raised:
        return answer(own(raised))
    except BaseException as error:  # SystemExit ends a job, not its child
        return answer(failed(error))


def answer(outcome: Outcome) -> dict[str, Any]:
    """Raises `NotJSON` for a result that is none."""
    match outcome:
        case Done(result):
            jsontext.dumps(result, name="the result")
            return {"status": "ok", "result": result}
        case Throttled(pause):
            return {"status": "throttled", "retry_after_secs": pause.total_seconds()}
        case Snoozed() as snoozed:
            now = datetime.now(UTC)
            pause = max(timedelta(0), snoozed.due(now=now) - now)
            return {"status": "snoozed", "retry_after_secs": pause.total_seconds()}
        case Cancelled(reason):
            return {"status": "cancelled", "message": reason}
        case Dead(message):
            return {"status": "dead", "message": message, "traceback": outcome.traceback}
        case Failed(message):
            return {"status": "error", "message": message, "traceback": outcome.traceback}
    return {"status": "error", "message": f"A child can't come to {type(outcome).__name__}."}


class Told(logging.Handler):
    """Says what is logged as a line of its own, at the levels that are known to all."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            level = "debug" if record.levelno < logging.INFO else record.levelname.lower()
            facts = vars(record)
            text = self.format(record).removeprefix(f"{facts.get('kind')} #{facts.get('job_id')}: ")
            line.say(log=text, level=level if level in LEVELS else "info")
        except Exception:
            self.handleError(record)


class Line:
    """The way to the parent; for any thread."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._out = 1
        self.inbox: IO[bytes] = sys.stdin.buffer
        self._job: dict[str, int] = {}
        self._untold: dict[str, Any] | None = None
        self._told_at = 0.0

    def take_streams(self) -> None:
        """Let what others print go to stderr, and give them nothing to read."""
        self._out, self.inbox = os.dup(1), os.fdopen(os.dup(0), "rb")
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    def begin(self, job_id: int) -> None:
        self._job, self._untold, self._told_at = {"id": job_id}, None, 0.0

    def end(self, answer: dict[str, Any]) -> None:
        self.tell_rest()
        self.say(**answer)

    def tell_rest(self) -> None:
        if self._untold:
            self.say(progress=self._untold)
        self._untold = None

    def tell_progress(self, step: dict[str, Any]) -> None:
        if time.monotonic() < self._told_at + PROGRESS_SECONDS:
            self._untold = step
        else:
            self._untold, self._told_at = None, time.monotonic()
            self.say(progress=step)

    def say(self, **said: Any) -> None:
        unsent = memoryview(f"{_encode({**self._job, **said})}\n".encode())
        with self._lock:
            while unsent:
                unsent = unsent[os.write(self._out, unsent) :]


line: Final = Line()
