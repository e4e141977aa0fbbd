"""What code declares of schedules: one row for all processes of a deploy, and which is newer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import Exists, Max, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from forge_jobs.conf import conf
from forge_jobs.db.written_once import Later, Moment, RowsWrittenOnce
from forge_jobs.models.base import JobsModel
from forge_jobs.models.process import Process
from forge_jobs.models.verbs import RowsManager, verb

MEMORY: Final = timedelta(days=1)

Declared = Mapping[str, Mapping[str, Any]]


class TimetableQuerySet(models.QuerySet["Timetable"]):
    def live(self, *, now: datetime) -> TimetableQuerySet:
        """Those of which a process lives, or did until just now, the newest last.

        For a process that is being started again must not come back as a newer deploy.
        """
        timeout = conf().process_timeout
        return self.live_between(now - timeout, now + timeout)

    def live_between(self, since: Moment, until: Moment) -> TimetableQuerySet:
        theirs = Process.objects.heard_of(since=since, until=until).values("timetable")
        recent = Q(live_at__range=(since, until))
        return self.filter(recent | Q(fingerprint__in=theirs)).order_by("generation", "pk")


class TimetableManager(RowsManager["Timetable", TimetableQuerySet]):
    rows = TimetableQuerySet

    live = verb(TimetableQuerySet.live)
    live_between = verb(TimetableQuerySet.live_between)

    def declare(self, declared: Declared, *, now: datetime) -> str:
        """Say what this process's code declares, as JSON keeps it; returns its fingerprint.

        If no process of this code lives, it is a deploy, or an old one that is rolled back to, and
        newer than all the others.
        """
        text = json.dumps(declared, sort_keys=True)
        fingerprint = sha256(text.encode()).hexdigest()
        ours = self.filter(fingerprint=fingerprint)
        if self.live(now=now).filter(fingerprint=fingerprint).exists():
            return fingerprint
        newer = (self.aggregate(newest=Max("generation"))["newest"] or 0) + 1
        seen = ours.values_list("generation", flat=True).first()
        if seen is None:
            row = self.model(
                fingerprint=fingerprint, declared=declared, generation=newer, live_at=now
            )
            self.bulk_create([row], ignore_conflicts=True)
        else:
            ours.filter(generation=seen).update(generation=newer, live_at=now)
        return fingerprint

    def words(self, *, now: datetime) -> dict[str, Mapping[str, Any]]:
        """What live code declares; of two that declare the same name, the newer's."""
        merged: dict[str, Mapping[str, Any]] = {}
        for declared in self.live(now=now).values_list("declared", flat=True):
            merged |= declared
        return merged

    def forget_old(self, *, now: datetime) -> None:
        """Those that have not been live for so long that nobody rolls back to them in a hurry."""
        live = self.live(now=now).values_list("pk", flat=True)
        self.filter(live_at__lt=now - MEMORY).exclude(pk__in=list(live)).delete()

    def keep(self, *, now: datetime) -> list[tuple[int, int]]:
        """Remember which are live, for a while after their last process is gone.

        Returns key and generation of each that is: whose words stand, the newest last.
        """
        timeout = conf().process_timeout
        rows = LIVE.read(using=self.db, since=now - timeout, until=now + timeout)
        stale = [
            pk
            for pk, _generation, at, has_process in rows
            if has_process and not now - timeout / 2 <= at <= now + timeout
        ]
        if stale:  # else without a write: SQLite lets one session write at a time
            self.filter(pk__in=stale).update(live_at=now)
        return [(pk, generation) for pk, generation, *_ in rows]


class Timetable(JobsModel):
    fingerprint = models.CharField(_("fingerprint"), max_length=64, unique=True)
    declared = models.JSONField(_("declared"))
    generation = models.BigIntegerField(
        _("generation"), help_text=_("Of two deploys the one with the higher number is newer.")
    )
    live_at = models.DateTimeField(_("live at"))

    objects: ClassVar[TimetableManager] = TimetableManager()

    class Meta:
        verbose_name = _("timetable")
        verbose_name_plural = _("timetables")
        default_permissions = ()

    def __str__(self) -> str:
        return self.fingerprint[:12]


def _live() -> models.QuerySet[Timetable, tuple[int, int, datetime, bool]]:
    since = Later.of(Timetable, "live_at", name="since")
    until = Later.of(Timetable, "live_at", name="until")
    heard_of = Process.objects.heard_of(since=since, until=until)
    theirs = heard_of.filter(timetable=OuterRef("fingerprint"))
    live = Timetable.objects.live_between(since, until).annotate(has_process=Exists(theirs))
    return live.values_list("pk", "generation", "live_at", "has_process")


LIVE: Final = RowsWrittenOnce(_live)
