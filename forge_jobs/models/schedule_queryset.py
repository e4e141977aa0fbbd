"""The verbs of schedules: which are due, and the guarded steps from one due moment to the next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence, Set
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

from django.db import models
from django.db.models import F

from forge_jobs import db
from forge_jobs.conf.policies import Source
from forge_jobs.models import plan
from forge_jobs.models.seeded import SeededManager
from forge_jobs.models.verbs import RowsManager, verb
from forge_jobs.wording import LONGEST_MESSAGE, trimmed

if TYPE_CHECKING:
    from forge_jobs.db.rows import Move
    from forge_jobs.models.schedule import Schedule

PLANNED_BY: Final = ("expression", "timezone", "is_enabled", "starts_at", "ends_at")
"""A change of these makes the planned moment void."""
VOID: Final[dict[str, Any]] = {"next_fire_at": None, "is_over": False, "last_error": ""}
ORIGIN: Final[dict[str, Any]] = {"planned_at": None, "planned_by": {}}
UNPLANNED: Final = VOID | ORIGIN
"""As it is at first sight."""

PROGRESS: Final = (
    "next_fire_at",
    "planned_at",
    "planned_by",
    "is_over",
    "last_fired_at",
    "last_error",
    "skipped",
    "last_skipped_at",
)
"""Columns that belong to the scheduler; it may move on between a load and a save."""


def void_by(changed: Set[str]) -> dict[str, Any]:
    """What becomes of a plan when these columns change; in another zone the wall time stays."""
    if changed.isdisjoint(PLANNED_BY):
        return {}
    return VOID if changed & {*PLANNED_BY} == {"timezone"} else UNPLANNED


class Progress(NamedTuple):
    """What became of due moments, each in their order."""

    fired: list[datetime]
    skipped: list[datetime]
    failed: list[tuple[datetime, Exception]]


class ScheduleQuerySet(models.QuerySet["Schedule"]):
    def open(self) -> Self:
        """Enabled, and with due moments to come as far as is known."""
        return self.filter(is_enabled=True, is_over=False)

    def due(self, *, now: datetime) -> Self:
        return self.open().filter(next_fire_at__lte=now).order_by("next_fire_at", "pk")

    def enabled(self) -> Self:
        return self.filter(is_enabled=True).order_by("pk")

    def unplanned(self) -> Self:
        return self.open().filter(next_fire_at__isnull=True).order_by("pk")

    def planned(self) -> Self:
        return self.open().filter(next_fire_at__isnull=False).order_by("next_fire_at")

    def as_seen(self, schedule: Schedule) -> Self:
        """That schedule, unless somebody has fired, planned or edited it in the meantime."""
        seen = ("next_fire_at", "is_over", *PLANNED_BY)
        return self.filter(pk=schedule.pk, **{name: getattr(schedule, name) for name in seen})

    def enable(self) -> int:
        """Let them fire, from the next due moment on; returns how many did not."""
        return self.filter(is_enabled=False).update(is_enabled=True, **UNPLANNED)

    def disable(self) -> int:
        """Let them not fire any more; returns how many did."""
        return self.filter(is_enabled=True).update(is_enabled=False, next_fire_at=None, **ORIGIN)


class ScheduleManager(RowsManager["Schedule", ScheduleQuerySet], SeededManager["Schedule"]):
    rows = ScheduleQuerySet

    open = verb(ScheduleQuerySet.open)
    due = verb(ScheduleQuerySet.due)
    enabled = verb(ScheduleQuerySet.enabled)
    unplanned = verb(ScheduleQuerySet.unplanned)
    planned = verb(ScheduleQuerySet.planned)
    as_seen = verb(ScheduleQuerySet.as_seen)
    enable = verb(ScheduleQuerySet.enable)
    disable = verb(ScheduleQuerySet.disable)

    def move(self, schedule: Schedule, following: datetime | None, *, now: datetime) -> bool:
        """Let a schedule be due next at that moment, or never; False if somebody else moved it.

        Whoever wins has its due moments until then to themselves.
        """
        return bool(self.move_all([plan.move(schedule, following, now=now)]))

    def move_all(self, moves: Sequence[Move]) -> set[int]:
        """Let many be due next as they say, in one statement; the keys of those that were moved."""
        if not moves:
            return set()
        with db.connection().cursor() as cursor:
            return set(db.twin().move_schedules(cursor, moves))

    def record(self, schedule: Schedule, progress: Progress) -> None:
        """Store what became of due moments, in the transaction that moved the schedule on."""
        changes: dict[str, Any] = {}
        if progress.fired:
            changes |= {"last_fired_at": progress.fired[-1], "last_error": ""}
        if progress.skipped:
            changes["skipped"] = F("skipped") + len(progress.skipped)
            changes["last_skipped_at"] = progress.skipped[-1]
        if progress.failed:
            due, error = progress.failed[-1]
            changes["last_error"] = trimmed(f"{due.isoformat()}: {error}", LONGEST_MESSAGE)
        if changes:
            self.filter(pk=schedule.pk).update(**changes)

    def record_fired(self, due: Mapping[int, datetime]) -> None:
        """The same for many that fired once; most were due in the same moment."""
        for at, keys in _by_moment(due):
            self.filter(pk__in=keys).update(last_fired_at=at, last_error="")

    def record_skipped(self, due: Mapping[int, datetime]) -> None:
        for at, keys in _by_moment(due):
            self.filter(pk__in=keys).update(skipped=F("skipped") + 1, last_skipped_at=at)

    def give_up(self, schedule: Schedule, error: str) -> bool:
        """Disable a schedule that can't be read; False if it has been changed meanwhile."""
        seen, error = self.as_seen(schedule), trimmed(error, LONGEST_MESSAGE)
        disabled = {"is_enabled": False, "next_fire_at": None, "last_error": error}
        return bool(seen.update(**disabled, **ORIGIN))

    def abandon(self, *, declared: Collection[str]) -> int:
        """Disable those of code that it no longer declares; returns how many.

        Their seed goes, so that they come back as soon as they are declared again.
        """
        gone = self.filter(source=Source.CODE).exclude(name__in=declared).exclude(seed={})
        return gone.update(is_enabled=False, next_fire_at=None, seed={}, **ORIGIN)


def _by_moment(due: Mapping[int, datetime]) -> Iterable[tuple[datetime, list[int]]]:
    keys = defaultdict(list)
    for key, at in due.items():
        keys[at].append(key)
    return keys.items()
