"""A queue as operators steer it: paused or not, cooling down, what it keeps, what it spends."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, ClassVar, Final

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock, wake
from forge_jobs.durations import of_seconds
from forge_jobs.models.seeded import SeededManager, SeededModel

CALM: Final = timedelta(seconds=120)
"""A success so long after the last cooling ended makes the next one short again."""


class QueueManager(SeededManager["Queue"]):
    def pause(self, name: str) -> bool:
        """Let no process claim jobs of a queue from the commit on; False if it is paused already.

        What runs finishes, what was claimed and has not begun goes back.
        """
        return self._steer(self.filter(name=name, is_paused=False), is_paused=True)

    def resume(self, name: str) -> bool:
        """Let a paused queue go on; False if it was not paused."""
        return self._steer(self.filter(name=name, is_paused=True), is_paused=False)

    def cool_off(self, name: str, *, now: datetime | None = None) -> bool:
        """End a queue's cooling, and forget its throttles; False if it was not cooling."""
        cooling = self.filter(name=name, throttled_until__gt=now or clock.now())
        return self._steer(cooling, throttled_until=None, throttle_attempts=0)

    def retune(self, name: str, **columns: Any) -> bool:
        """Change columns of a queue's row, and no others; False if it has these values already.

        Raises `FieldDoesNotExist` for what is no column, `IntegrityError` for what can't be.
        """
        same = Q(name=name)
        for column, value in columns.items():
            self.model._meta.get_field(column)
            same &= Q(**({f"{column}__isnull": True} if value is None else {column: value}))
        return self._steer(self.filter(name=name).exclude(same), **columns)

    def _steer(self, rows: models.QuerySet[Queue], **columns: Any) -> bool:
        """Processes look at once where they hear of it, else within a second."""
        changed = bool(rows.update(**columns))
        if changed:
            wake.on_commit(wake.STOP)
        return changed

    def throttle(self, name: str, *, retry_after: timedelta, now: datetime) -> None:
        """Let a queue cool down.

        Only the first throttle of a window lengthens the next one: those that were under way
        when it began say nothing new.
        """
        while queue := self.filter(name=name).first():
            attempts, until = queue.cooling_after(retry_after, now=now)
            unchanged = self.filter(pk=queue.pk, throttled_until=queue.throttled_until)
            if unchanged.update(
                throttled_at=now, throttled_until=until, throttle_attempts=attempts
            ):
                return

    def bring_back(self, *, now: datetime) -> int:
        """Let cooling begin now that a clock which was ahead put off; returns how many queues."""
        changed = 0
        ahead = self.filter(throttled_at__gt=now + clock.AHEAD, throttled_until__isnull=False)
        for queue in ahead:
            if queue.throttled_until and queue.throttled_at:
                unchanged = self.filter(pk=queue.pk, throttled_until=queue.throttled_until)
                until = now + (queue.throttled_until - queue.throttled_at)
                changed += self._steer(unchanged, throttled_at=now, throttled_until=until)
        return changed

    def calm(self, name: str, *, now: datetime) -> bool:
        """Forget earlier throttles, after a success; tells whether it was late enough for that."""
        over = self.filter(name=name, throttle_attempts__gt=0, throttled_until__lte=now - CALM)
        return bool(over.update(throttle_attempts=0))


class Queue(SeededModel):
    is_paused = models.BooleanField(_("is paused"), default=False)
    max_workers = models.PositiveIntegerField(
        _("max workers"),
        null=True,
        blank=True,
        help_text=_("How many of its jobs may run at once in the whole cluster. Empty: no limit."),
    )
    retries = models.BooleanField(
        _("retries"), default=True, help_text=_("Whether failed jobs are tried again at all.")
    )
    retry_base_seconds = models.FloatField(
        _("retry base in seconds"),
        null=True,
        blank=True,
        help_text=_("The first delay, doubled each time. Empty: as the code says."),
    )
    retry_cap_seconds = models.FloatField(_("retry cap in seconds"), null=True, blank=True)
    retain_succeeded_seconds = models.FloatField(
        _("retain succeeded for seconds"),
        null=True,
        blank=True,
        default=7 * 86_400.0,
        help_text=_("Zero: not at all. Empty: forever."),
    )
    retain_failed_seconds = models.FloatField(
        _("retain dead and cancelled for seconds"),
        null=True,
        blank=True,
        default=30 * 86_400.0,
        help_text=_("Empty: forever."),
    )
    budget = models.CharField(
        _("budget"),
        max_length=100,
        blank=True,
        default="",
        help_text=_("The rate-limit budget of which each job takes one token."),
    )
    throttle_base_seconds = models.FloatField(_("throttle base in seconds"), default=5.0)
    throttle_cap_seconds = models.FloatField(_("throttle cap in seconds"), default=900.0)
    throttled_until = models.DateTimeField(_("throttled until"), null=True, editable=False)
    throttled_at = models.DateTimeField(_("throttled at"), null=True, editable=False)
    throttle_attempts = models.PositiveIntegerField(
        _("throttles in a row"), default=0, editable=False
    )

    objects: ClassVar[QueueManager] = QueueManager()

    class Meta:
        verbose_name = _("queue")
        verbose_name_plural = _("queues")
        permissions: ClassVar = [("pause_queue", _("Can pause, resume and cool off queues"))]
        constraints: ClassVar = [
            models.CheckConstraint(
                name="forge_jobs_queue_durations_not_negative",
                condition=Q(throttle_base_seconds__gte=0, throttle_cap_seconds__gte=0)
                & (Q(retry_base_seconds__isnull=True) | Q(retry_base_seconds__gt=0))
                & (Q(retry_cap_seconds__isnull=True) | Q(retry_cap_seconds__gt=0))
                & (Q(retain_succeeded_seconds__isnull=True) | Q(retain_succeeded_seconds__gte=0))
                & (Q(retain_failed_seconds__isnull=True) | Q(retain_failed_seconds__gte=0)),
            ),
        ]

    def is_cooling(self, *, now: datetime) -> bool:
        return self.throttled_until is not None and self.throttled_until > now

    def is_open(self, *, now: datetime) -> bool:
        return not (self.is_paused or self.max_workers == 0 or self.is_cooling(now=now))

    def cooling_after(self, retry_after: timedelta, *, now: datetime) -> tuple[int, datetime]:
        """How many throttles in a row there are after one more, and until when to cool down."""
        asked = now + retry_after
        if self.throttled_until and self.throttled_until > now:
            return self.throttle_attempts, max(self.throttled_until, asked)
        doublings = min(self.throttle_attempts, 60)
        seconds = min(self.throttle_cap_seconds, self.throttle_base_seconds * 2.0**doublings)
        return self.throttle_attempts + 1, max(asked, now + of_seconds(seconds))
