"""The errors of a job, as its row keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from forge_jobs.dashboard.frames import Passage, passages

MOST_ERRORS: Final = 32
LONGEST: Final = 10_000
"""Of a message or traceback; what we store is shorter, and shown whole."""


@dataclass(frozen=True, kw_only=True)
class JobError:
    at: datetime
    attempt: int | None
    message: str
    traceback: str

    @property
    def passages(self) -> list[Passage]:
        return passages(self.traceback or self.message)


def read_errors(stored: Any, *, otherwise: datetime) -> list[JobError]:
    """Of what may be anything, once somebody's own SQL wrote it."""
    errors = stored if isinstance(stored, list) else []
    kept = [error for error in errors if isinstance(error, dict)][-MOST_ERRORS:]
    return [_error(error, otherwise=otherwise) for error in kept]


def _error(error: dict[str, Any], *, otherwise: datetime) -> JobError:
    attempt = error.get("attempt")
    return JobError(
        at=_moment(error.get("at")) or otherwise,
        attempt=attempt if isinstance(attempt, int) else None,
        message=str(error.get("message", ""))[:LONGEST],
        traceback=str(error.get("traceback") or "")[-LONGEST:],
    )


def _moment(text: Any) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
        return moment.astimezone(UTC) if moment.tzinfo else None
    except (TypeError, ValueError, OverflowError):
        return None
