"""Lines about schedules."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from django.dispatch import Signal

from forge_jobs import signals

if TYPE_CHECKING:
    from forge_jobs.models import Schedule
    from forge_jobs.services.scheduler import Replanned

logger: Final = logging.getLogger("forge_jobs")

MOST_NAMES: Final = 5
WHY: Final = {True: "the clock was ahead", False: "what they were planned from has changed"}


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


def replanned(*, replanned: Sequence[Replanned], **kwargs: Any) -> None:
    for was_ahead, why in WHY.items():
        names = [one.schedule.name for one in replanned if one.was_ahead is was_ahead]
        if names:
            shown = ", ".join(names[:MOST_NAMES]) + (", …" if len(names) > MOST_NAMES else "")
            logger.warning(
                "schedules are planned anew, for %s: %d (%s)",
                why,
                len(names),
                shown,
                extra={"schedules": len(names), "names": names[:MOST_NAMES]},
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
    signals.schedules_replanned: replanned,
    signals.schedule_failed: failed,
}
