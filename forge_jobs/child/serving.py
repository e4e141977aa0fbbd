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
    line.say_ready()
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
            job_id = facts.get("job_id")
            text = self.format(record).removeprefix(f"{facts.get('kind')} #{job_id}: ")
            of = job_id if job_id in line.jobs else None
            if not line.say(of=of, log=text, level=level if level in LEVELS else "info"):
                sys.stderr.write(f"{text}\n")
        except Exception:
            self.handleError(record)


class Line:
    """The way to the parent; for any thread. Between two jobs nothing may be said."""

    def __init__(self, *, out: int = 1) -> None:
        self._lock = Lock()
        self._out = out
        self.inbox: IO[bytes] = sys.stdin.buffer
        self.jobs: tuple[int, ...] = ()
        self._untold: dict[int, dict[str, Any]] = {}
        self._told_at: dict[int, float] = {}
        os.register_at_fork(after_in_child=self._disown)

    def take_streams(self) -> None:
        """Let what others print go to stderr, and give them nothing to read."""
        self._out, self.inbox = os.dup(1), os.fdopen(os.dup(0), "rb")
        os.dup2(2, 1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)

    def say_ready(self) -> None:
        with self._lock:
            self._write({"ready": True})

    def begin(self, *jobs: int) -> None:
        self._untold, self._told_at = {}, {}
        self.jobs = jobs

    def end(self, answer: dict[str, Any]) -> None:
        """Say what the job, or the call for several, came to; what is said later is dropped."""
        for job_id in [*self._untold]:
            self.tell_rest(of=job_id)
        with self._lock:
            self._write({"id": self.jobs[0], **answer})
            self.jobs = ()

    def tell_rest(self, *, of: int) -> None:
        if step := self._untold.pop(of, None):
            self.say(of=of, progress=step)

    def tell_progress(self, step: dict[str, Any], *, of: int | None = None) -> None:
        job_id = of or (self.jobs or (0,))[0]
        if time.monotonic() < self._told_at.get(job_id, 0.0) + PROGRESS_SECONDS:
            self._untold[job_id] = step
        else:
            self._untold.pop(job_id, None)
            self._told_at[job_id] = time.monotonic()
            self.say(of=job_id, progress=step)

    def say(self, *, of: int | None = None, **said: Any) -> bool:
        """Whether it could be said: a thread that a job has left behind may speak of that later."""
        with self._lock:
            if not self.jobs or of not in (None, *self.jobs):
                return False
            self._write({"id": of or self.jobs[0], **said})
            return True

    def _disown(self) -> None:
        """In a fork of this process, which speaks for no job."""
        self._lock, self.jobs = Lock(), ()

    def _write(self, said: dict[str, Any]) -> None:
        unsent = memoryview(f"{_encode(said)}\n".encode())
        while unsent:
            unsent = unsent[os.write(self._out, unsent) :]


line: Final = Line()
