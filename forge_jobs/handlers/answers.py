"""What a child says in a line: that it is ready, how far its job has come, or what it came to."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from forge_jobs.durations import clamped
from forge_jobs.handlers.outcomes import (
    Cancelled,
    Dead,
    Done,
    Failed,
    Outcome,
    Snoozed,
    Throttled,
)
from forge_jobs.wording import listed, quoted

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
    "critical": logging.CRITICAL,
}
STATUSES: Final = ("ok", "error", "dead", "throttled", "snoozed", "cancelled")
_decode: Final = json.JSONDecoder().decode
"""Of UTF-8, without a look at what it may be else."""

UNSAID: Final = "The child did not say why."


class Garbage(ValueError):
    """A line that no child may say; the message, which goes on from "a line", says why."""


class Stray(Garbage):
    """A line with the `job_id` of another job."""

    def __init__(self, message: str, *, job_id: int) -> None:
        super().__init__(message)
        self.job_id = job_id


@dataclass(frozen=True)
class Ready:
    """It can take jobs."""


@dataclass(frozen=True)
class Log:
    level: int
    text: str


@dataclass(frozen=True)
class Step:
    """What `JobContext.progress()` takes."""

    done: Any
    total: Any = None
    message: Any = ""


def parsed(line: bytes) -> dict[str, Any]:
    """Raises `Garbage`."""
    try:
        said = _decode(line.decode().removeprefix("\ufeff"))
    except (ValueError, RecursionError):
        raise Garbage(f"that is not JSON: {shortened(line)}") from None
    if not isinstance(said, dict):
        raise Garbage(f"that is no object: {shortened(line)}")
    return said


def understood(said: dict[str, Any], *, job_id: int) -> Outcome | Step | Log | Ready:
    """Raises `Garbage`."""
    if "id" in said and (type(said["id"]) is not int or said["id"] != job_id):
        message = f"with the id {quoted(said['id'])} during job {job_id}"
        raise Stray(message, job_id=said["id"]) if type(said["id"]) is int else Garbage(message)
    match said:
        case {"status": status}:
            return _outcome(status, said)
        case {"progress": {"done": _} as step} if step.keys() <= {"done", "total", "message"}:
            return Step(**step)
        case {"progress": int() | float() as done}:
            return Step(done)
        case {"log": text}:
            return Log(_level(said), str(text))
        case {"ready": True}:
            return Ready()
    line = json.dumps(said, ensure_ascii=False)
    raise Garbage(f"without a status, a progress or a log: {quoted(line)}")


def shortened(line: bytes) -> str:
    """As a person may see it."""
    return quoted(line.decode(errors="backslashreplace"))


def _outcome(status: object, said: dict[str, Any]) -> Outcome:
    match status:
        case "ok":
            return Done(said.get("result"))
        case "error":
            return Failed(_text(said, "message") or UNSAID, _text(said, "traceback"))
        case "dead":
            return Dead(_text(said, "message") or UNSAID, _text(said, "traceback"))
        case "throttled":
            return Throttled(_seconds(said))
        case "snoozed":
            return Snoozed(delay=_seconds(said))
        case "cancelled":
            return Cancelled(_text(said, "message"))
    raise Garbage(f"with the status {quoted(status)}, not {listed(STATUSES)}")


def _text(said: dict[str, Any], name: str) -> str:
    match said.get(name):
        case None:
            return ""
        case str() as text:
            return text
        case other:
            raise Garbage(f"of which {name} is {quoted(other)}, no text")


def _seconds(said: dict[str, Any]) -> timedelta:
    given = said.get("retry_after_secs")
    try:
        return clamped(given, field="retry_after_secs")  # type: ignore[arg-type] # it says so
    except ValueError:
        raise Garbage(
            f"of which retry_after_secs is {quoted(given)}, no number of seconds"
        ) from None


def _level(said: dict[str, Any]) -> int:
    given = said.get("level", "info")
    if isinstance(given, str) and given.lower() in LEVELS:
        return LEVELS[given.lower()]
    raise Garbage(f"with the level {quoted(given)}, not {listed(LEVELS)}")
