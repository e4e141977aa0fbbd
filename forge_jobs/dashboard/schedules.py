"""What an operator sees of each schedule: what it means, when it fired and will, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.paginator import Paginator
from django.db.models import OuterRef, Q, Subquery
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forge_jobs.cron.expression import BadExpression
from forge_jobs.cron.zones import UnknownZone
from forge_jobs.dashboard.job_list import HEAVY
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


@dataclass(frozen=True, kw_only=True)
class SchedulePage:
    """A page of those that match, by name; the numbers of its neighbours, None at the ends."""

    lines: Sequence[ScheduleLine]
    matched: int
    before: int | None
    after: int | None


def read(*, now: datetime, words: str = "", page: str = "") -> SchedulePage:
    """`words` are sought in names, kinds and expressions; a `page` that is none is the first."""
    sought = words.replace("\0", "").strip()
    fits = Q(name__icontains=sought) | Q(kind__icontains=sought) | Q(expression__icontains=sought)
    newest = Job.objects.filter(schedule=OuterRef("pk")).order_by("-pk").values("pk")[:1]
    rows: Any = Schedule.objects.annotate(newest=Subquery(newest)).order_by("name")
    shown: Any = Paginator(rows.filter(fits) if sought else rows, PAGE).get_page(page)
    jobs = Job.objects.defer(*HEAVY).in_bulk([row.newest for row in shown if row.newest])
    return SchedulePage(
        lines=[ScheduleLine(row=row, at=now, last_job=jobs.get(row.newest)) for row in shown],
        matched=shown.paginator.count,
        before=shown.previous_page_number() if shown.has_previous() else None,
        after=shown.next_page_number() if shown.has_next() else None,
    )
