"""Lines about schedules."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.dispatch import Signal

from forge_jobs import signals

if TYPE_CHECKING:
    from forge_jobs.models import Schedule

logger: Final = logging.getLogger("forge_jobs")


def fired(*, schedule: Schedule, due_at: datetime, **kwargs: Any) -> None:
    logger.debug("schedule %s fired", schedule, extra=fields(schedule, due_at))


def skipped(*, schedule: Schedule, due_at: datetime, **kwargs: Any) -> None:
    logger.warning(
        "schedule %s skipped %s, for its last job is unfinished",
        schedule,
        due_at.isoformat(),
        extra=fields(schedule, due_at),
    )


def failed(*, schedule: Schedule, due_at: datetime | None, error: Exception, **kwargs: Any) -> None:
    if due_at is None:
        logger.error(
            "schedule %s can't be read and is disabled: %s",
            schedule,
            error,
            extra=fields(schedule, due_at),
        )
    else:
        logger.error(
            "schedule %s made no job for %s: %s",
            schedule,
            due_at.isoformat(),
            error,
            extra=fields(schedule, due_at),
        )


def replanned(*, schedule: Schedule, due_at: datetime | None, why: str, **kwargs: Any) -> None:
    logger.warning(
        "schedule %s is planned anew: it was to fire at %s, but %s",
        schedule,
        due_at.isoformat() if due_at else "no time",
        why,
        extra=fields(schedule, due_at),
    )


def fields(schedule: Schedule, due_at: datetime | None) -> dict[str, Any]:
    return {
        "schedule": schedule.name,
        "kind": schedule.kind,
        "due_at": due_at.isoformat() if due_at else None,
    }


RECEIVERS: Final[dict[Signal, Callable[..., None]]] = {
    signals.schedule_fired: fired,
    signals.schedule_skipped: skipped,
    signals.schedule_replanned: replanned,
    signals.schedule_failed: failed,
}
