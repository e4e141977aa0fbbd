"""What has been counted since counting began, which no pruning lowers: for those who count on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Final

from django.db import models
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.metrics.tally import Tally, Work, tallied
from forge_jobs.models.base import JobsManager
from forge_jobs.models.measured import Measured

MOST: Final = 100
"""Of how many pairs of a queue and a kind there are totals of their own."""

OTHER: Final = "other"
"""The kind under which each queue's further kinds are counted together."""


class MetricTotalManager(JobsManager["MetricTotal"]):
    def add(self, rows: Iterable[Mapping[str, Any]], *, at: datetime) -> None:
        """Count in what was measured before `at`, in the transaction that takes it from there.

        Rows of totals that somebody else is writing are left alone, for they are parts of a sum.
        """
        tallies = tallied(rows)
        own = self._own({*tallies})
        sums: defaultdict[Work, Tally] = defaultdict(Tally)
        for work, tally in tallies.items():
            sums[work if work in own else Work(work.queue, OTHER)].merge(tally)
        free = self.filter(kind__in={work.kind for work in sums}).select_for_update(
            skip_locked=True
        )
        earlier = [row for row in free.values() if Work(row["queue"], row["kind"]) in sums]
        for work, tally in tallied(earlier).items():
            sums[work].merge(tally)
        self.filter(pk__in=[row["id"] for row in earlier]).delete()
        self.bulk_create(
            MetricTotal(at=at, queue=work.queue, kind=work.kind, **tally.columns())
            for work, tally in sums.items()
        )

    def _own(self, works: set[Work]) -> set[Work]:
        """Those that have totals of their own, the new ones with them while there is room.

        Two leaders must not disagree on a kind: what one counts in its row would be missing there
        where the other counts it among the further ones.
        """
        if works <= (known := self._known()):
            return known
        with db.connection().cursor() as cursor:
            db.twin().lock_totals(cursor)
        known = self._known()
        return known | {*sorted(works - known)[: max(0, MOST - len(known))]}

    def _known(self) -> set[Work]:
        rows = self.exclude(kind=OTHER).values_list("queue", "kind")
        return {Work(queue, kind) for queue, kind in rows}


class MetricTotal(Measured):
    """What all processes saw up to `at`, as far as it is summed up; samples are newer.

    Which kinds have totals of their own is decided once, when they are first counted: a kind that
    came and went among the others would make counters fall.
    """

    enqueued = models.PositiveBigIntegerField(_("enqueued"), default=0)
    started = models.PositiveBigIntegerField(_("started"), default=0)
    succeeded = models.PositiveBigIntegerField(_("succeeded"), default=0)
    retried = models.PositiveBigIntegerField(_("retried"), default=0)
    dead = models.PositiveBigIntegerField(_("dead"), default=0)
    cancelled = models.PositiveBigIntegerField(_("cancelled"), default=0)
    throttled = models.PositiveBigIntegerField(_("throttled"), default=0)
    snoozed = models.PositiveBigIntegerField(_("snoozed"), default=0)
    released = models.PositiveBigIntegerField(_("released"), default=0)

    objects: ClassVar[MetricTotalManager] = MetricTotalManager()

    class Meta:
        verbose_name = _("metric total")
        verbose_name_plural = _("metric totals")
        default_permissions = ()
