"""What a schedule's next moment was planned from, and when it is due by what holds now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from forge_jobs import clock, jsontext
from forge_jobs.cron.zones import SECOND, instant_of, wall_time

if TYPE_CHECKING:
    from forge_jobs.db.rows import Move
    from forge_jobs.models.schedule import Schedule

COLUMNS: Final = (
    "expression",
    "timezone",
    "is_enabled",
    "starts_at",
    "ends_at",
    "next_fire_at",
    "planned_at",
    "planned_by",
    "is_over",
    "last_fired_at",
)
"""All that is looked at here."""

WHERE: Final = frozenset({"zone", "wall"})
"""What may change without the wall time being another."""


def made_from(schedule: Schedule, due: datetime | None) -> dict[str, Any]:
    """As JSON keeps it, with what the wall shows at the due moment; raises `UnknownZone`.

    Rules of a zone that change before the moment show in its wall time.
    """
    return {
        "expression": schedule.expression,
        "zone": schedule.zone_name,
        "starts_at": _as_text(schedule.starts_at),
        "ends_at": _as_text(schedule.ends_at),
        "wall": wall_time(due, schedule.zone).isoformat() if due else None,
    }


def move(schedule: Schedule, due: datetime | None, *, now: datetime) -> Move:
    """From what was seen to the next due moment, or to none; raises `UnknownZone`."""
    from forge_jobs.db.rows import Move

    return Move(
        id=schedule.pk,
        next_fire_at=schedule.next_fire_at,
        is_over=schedule.is_over,
        expression=schedule.expression,
        timezone=schedule.timezone,
        is_enabled=schedule.is_enabled,
        starts_at=schedule.starts_at,
        ends_at=schedule.ends_at,
        following=due,
        planned_at=now,
        planned_by=jsontext.dumps(made_from(schedule, due), name="planned_by"),
    )


def is_void(schedule: Schedule, *, now: datetime) -> bool:
    """Whether it would be planned otherwise now, or may be: nobody knows what it was made from."""
    return was_ahead(schedule, now=now) or schedule.planned_by != made_from(
        schedule, schedule.next_fire_at
    )


def is_outdated(schedule: Schedule) -> bool:
    """Whether it is known to have been made from something else, and so is not to fire by that.

    What follows elapsed time does so in any zone.
    """
    before, made = schedule.planned_by, made_from(schedule, None)
    changed = {
        name for name in made.keys() - {"wall"} if before.get(name, made[name]) != made[name]
    }
    return bool(changed) and (changed != {"zone"} or schedule.cron.has_fixed_times)


def was_ahead(schedule: Schedule, *, now: datetime) -> bool:
    return schedule.planned_at is not None and schedule.planned_at > now + clock.AHEAD


def following(schedule: Schedule, *, now: datetime) -> datetime | None:
    """When it is due next; may be past, where a change of the zone has skipped it.

    The wall in another zone is a wall whose clock has changed, so the rule is the same: fixed times
    are due once each. One that was done is not due again; one that was to come, and is skipped, is
    due at once.
    """
    if not _goes_on(schedule, now=now):
        return schedule.due_after(now)
    wall = datetime.fromisoformat(schedule.planned_by["wall"])
    return schedule.due_after(
        max(instant_of(wall, schedule.zone) - SECOND, schedule.last_fired_at or wall)
    )


def _goes_on(schedule: Schedule, *, now: datetime) -> bool:
    """Whether it has fired, and waits for the same wall time as before, wherever that is now."""
    before, made = schedule.planned_by, made_from(schedule, schedule.next_fire_at)
    return (
        schedule.last_fired_at is not None
        and schedule.last_fired_at <= now
        and not was_ahead(schedule, now=now)
        and bool(before.get("wall"))
        and before != made
        and all(before.get(name) == made[name] for name in made.keys() - WHERE)
        and schedule.cron.has_fixed_times
    )


def _as_text(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).isoformat() if moment else None
