"""Tells what schedules mean, and how they fare."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from forge_jobs.cron.expression import BadExpression
from forge_jobs.cron.zones import UnknownZone
from forge_jobs.handlers.secrecy import shown
from forge_jobs.management.rendering import ago, clock_face, document, facts, number, one_line
from forge_jobs.models import Schedule


def as_text(schedules: Sequence[Schedule], *, now: datetime) -> str:
    blocks = [
        [one_line(schedule.name), *facts(_facts(schedule, now=now))] for schedule in schedules
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks) or "There are no schedules."


def as_json(schedules: Sequence[Schedule], *, now: datetime) -> str:
    return document([_fields(schedule) for schedule in schedules])


def _facts(schedule: Schedule, *, now: datetime) -> dict[str, str]:
    skips = number(schedule.skipped) if schedule.skipped else ""
    return {
        "kind": schedule.kind,
        "when": f"{schedule.expression} ({schedule.zone_name})",
        "means": _meaning(schedule),
        "state": _state(schedule),
        "next": _moment(schedule.next_fire_at, now=now),
        "last": _moment(schedule.last_fired_at, now=now),
        "skips": f"{skips}, {_moment(schedule.last_skipped_at, now=now)}" if skips else "",
        "error": schedule.last_error,
        "from": schedule.source,
    }


def _fields(schedule: Schedule) -> dict[str, Any]:
    return {
        "name": schedule.name,
        "kind": schedule.kind,
        "payload": shown(schedule.payload, kind=schedule.kind),
        "expression": schedule.expression,
        "timezone": schedule.zone_name,
        "meaning": _meaning(schedule),
        "is_enabled": schedule.is_enabled,
        "is_over": schedule.is_over,
        "overlap": schedule.overlap,
        "catch_up": schedule.catch_up,
        "next_fire_at": _iso(schedule.next_fire_at),
        "last_fired_at": _iso(schedule.last_fired_at),
        "skipped": schedule.skipped,
        "last_skipped_at": _iso(schedule.last_skipped_at),
        "last_error": schedule.last_error,
        "source": schedule.source,
    }


def _meaning(schedule: Schedule) -> str:
    try:
        return schedule.cron.in_words()
    except (BadExpression, UnknownZone):
        return "nothing that can be read"


def _state(schedule: Schedule) -> str:
    if not schedule.is_enabled:
        return "disabled"
    if schedule.is_over:
        return "over: no due moment is to come"
    return "enabled" if schedule.next_fire_at else "enabled, to be planned by the leader"


def _moment(moment: datetime | None, *, now: datetime) -> str:
    return f"{clock_face(moment)}, {ago(moment, now=now)}" if moment else ""


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
