"""Leadership with an expiry: whoever holds the lease runs the services."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar, Final

from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from forge_jobs.conf import conf
from forge_jobs.db.written_once import Later, Moment, RowsWrittenOnce, UpdateWrittenOnce
from forge_jobs.models.base import JobsManager, JobsModel
from forge_jobs.models.process import Process

SERVICES: Final = "services"


class LeaseManager(JobsManager["Lease"]):
    def take(self, name: str, *, process: Process, now: datetime, life: timedelta) -> bool:
        """Get a lease that is free or has run out, or renew one's own; False if others hold it."""
        # Whose process is forgotten, because its supervisor has replaced it, will not be renewed.
        holder = Process.objects.filter(pk=OuterRef("process_id"))
        free = ~_runs(now=now, latest=_latest(now, life)) | ~Exists(holder)
        if self.filter(~free, name=name).exclude(process=process).exists():
            return False  # without a write: SQLite lets one session write at a time
        ours = self.filter(Q(process=process) | free, name=name)
        if ours.update(process=process, expires_at=now + life):
            return True
        lease = Lease(name=name, process_id=process.pk, expires_at=now + life)
        self.bulk_create([lease], ignore_conflicts=True)
        return self.filter(name=name, process=process, expires_at=now + life).exists()

    def renew(self, name: str, *, process: Process, now: datetime, life: timedelta) -> bool:
        """Make a lease last for longer; False if others have taken it."""
        renewal = {"name": name, "process": process.pk, "expires_at": now + life}
        return bool(RENEW.carry_out(using=self.db, **renewal))

    def others_until(
        self, name: str, *, process: Process, now: datetime, life: timedelta
    ) -> datetime | None:
        """When the lease of another process ends; None if none has one."""
        among = {"name": name, "process": process.pk, "now": now, "latest": _latest(now, life)}
        return next((expires_at for (expires_at,) in THEIRS.read(using=self.db, **among)), None)

    def holder(self, name: str, *, now: datetime) -> int | None:
        """The key of the process that holds a lease; None if nobody does."""
        held = self.filter(_runs(now=now, latest=_latest(now, conf().lease)), name=name)
        return held.values_list("process_id", flat=True).first()

    def hand_on(self, name: str, *, process: Process, now: datetime) -> bool:
        """Let go of a lease, so that others need not wait for its end."""
        return bool(self.filter(name=name, process=process).update(expires_at=now))


def _latest(now: datetime, life: timedelta) -> datetime:
    """One that ends later than any life lasts is of a clock that was ahead."""
    return now + 2 * life


def _runs(*, now: Moment, latest: Moment) -> Q:
    return Q(expires_at__gt=now, expires_at__lte=latest)


class Lease(JobsModel):
    name = models.CharField(_("name"), max_length=100)
    process = models.ForeignKey(
        Process,
        verbose_name=_("process"),
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        db_index=False,
        related_name="leases",
    )
    expires_at = models.DateTimeField(_("expires at"))

    objects: ClassVar[LeaseManager] = LeaseManager()

    class Meta:
        verbose_name = _("lease")
        verbose_name_plural = _("leases")
        constraints: ClassVar = [
            models.UniqueConstraint("name", name="forge_jobs_lease_name"),
        ]

    def __str__(self) -> str:
        return self.name


def _of_others() -> models.QuerySet[Lease, tuple[datetime]]:
    """Of the processes that there are."""
    name, process = Later.of(Lease, "name"), Later.of(Lease, "process")
    now = Later.of(Lease, "expires_at", name="now")
    latest = Later.of(Lease, "expires_at", name="latest")
    holder = Process.objects.filter(pk=OuterRef("process_id"))
    theirs = Lease.objects.filter(_runs(now=now, latest=latest), Exists(holder), name=name)
    return theirs.exclude(process=process).values_list("expires_at")


RENEW: Final = UpdateWrittenOnce(
    lambda: Lease.objects.filter(name=Later.of(Lease, "name"), process=Later.of(Lease, "process")),
    ["expires_at"],
)
THEIRS: Final = RowsWrittenOnce(_of_others)
