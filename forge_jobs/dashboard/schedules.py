"""What an operator sees of each schedule: what it means, when it fired and will, what failed."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import OuterRef, Q, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forge_jobs.cron.expression import BadExpression
from forge_jobs.cron.zones import UnknownZone
from forge_jobs.dashboard.list_page import HEAVY
from forge_jobs.dashboard.paging import Paged, sought
from forge_jobs.models import Job, Schedule

PAGE: Final = 50
LATE: Final = timedelta(seconds=15)
"""The scheduler looks every few seconds; a moment that is past for longer waits for a leader."""

STANDINGS: Final[dict[str, str | Promise]] = {
    "planned": _("planned"),
    "late": _("late: does any process run?"),
    "new": _("not planned yet"),
    "over": _("over: no due moment is to come"),
    "disabled": _("disabled"),
}


@dataclass(frozen=True, kw_only=True)
class ScheduleLine:
    row: Schedule
    at: datetime
    last_job: Job | None
    buttons: list[dict[str, Any]] = field(default_factory=list)

    @property
    def words(self) -> str | Promise:
        try:
            return self.row.cron.in_words()
        except (BadExpression, UnknownZone):
            return _("It can't be read.")

    @property
    def standing(self) -> str:
        if not self.row.is_enabled:
            return "disabled"
        if self.row.is_over:
            return "over"
        if self.row.next_fire_at is None:
            return "new"
        return "late" if self.row.next_fire_at < self.at - LATE else "planned"

    @property
    def standing_label(self) -> str | Promise:
        return STANDINGS[self.standing]


def read(*, now: datetime, words: str = "", page: str = "") -> Paged[ScheduleLine]:
    """By name; `words` are sought in names, kinds and expressions."""
    text = sought(words)
    fits = Q(name__icontains=text) | Q(kind__icontains=text) | Q(expression__icontains=text)
    newest = Job.objects.filter(schedule=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rows: Any = Schedule.objects.annotate(newest=Subquery(newest)).order_by("name")
    shown: Paged[Any] = Paged.of(rows.filter(fits) if text else rows, size=PAGE, page=page)
    jobs = Job.objects.defer(*HEAVY).in_bulk([row.newest for row in shown.rows if row.newest])
    lines = [ScheduleLine(row=row, at=now, last_job=jobs.get(row.newest)) for row in shown.rows]
    return shown.showing(lines)
