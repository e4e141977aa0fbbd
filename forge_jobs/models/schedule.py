"""A schedule: when jobs of a kind are made by themselves, and how far that has come."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Value
from django.utils.translation import gettext_lazy as _

from forge_jobs import db
from forge_jobs.conf.bounds import MAX_ATTEMPTS, MAX_PRIORITY, MIN_PRIORITY
from forge_jobs.conf.policies import CatchUp, Overlap, Source
from forge_jobs.cron.zones import zone_named
from forge_jobs.fields import CronField, LastingJSONField, validate_zone
from forge_jobs.models.schedule_faults import faults
from forge_jobs.models.schedule_queryset import (
    PLANNED_BY,
    PROGRESS,
    ScheduleManager,
    void_by,
)
from forge_jobs.models.schedule_seed import as_json
from forge_jobs.models.schedule_table import CONSTRAINTS, INDEXES
from forge_jobs.models.seeded import SeededModel

if TYPE_CHECKING:
    from forge_jobs.cron.expression import Cron
    from forge_jobs.models.job import Job


class Schedule(SeededModel):
    name = models.CharField(_("name"), max_length=200, unique=True)
    kind = models.CharField(_("kind"), max_length=200)
    payload = LastingJSONField(_("payload"), default=dict, blank=True)
    queue = models.CharField(
        _("queue"), max_length=100, blank=True, default="", help_text=_("Empty: the handler's.")
    )
    priority = models.SmallIntegerField(
        _("priority"),
        null=True,
        blank=True,
        validators=[MinValueValidator(MIN_PRIORITY), MaxValueValidator(MAX_PRIORITY)],
        help_text=_("-100 to 100, higher runs first. Empty: the handler's."),
    )
    expression = CronField(
        _("expression"),
        help_text=_(
            "Minute, hour, day of month, month, day of week; a sixth field in front is seconds. "
            "Or an interval such as @every 30s."
        ),
    )
    timezone = models.CharField(
        _("time zone"),
        max_length=100,
        blank=True,
        default="",
        validators=[validate_zone],
        help_text=_("Such as Europe/Berlin. Empty: the project's."),
    )
    is_enabled = models.BooleanField(_("is enabled"), default=True)
    overlap = models.CharField(
        _("overlap"),
        max_length=20,
        choices=Overlap.choices,
        default=Overlap.SKIP,
        help_text=_("What a fire does while the last job is unfinished."),
    )
    catch_up = models.CharField(
        _("catch up"),
        max_length=20,
        choices=CatchUp.choices,
        default=CatchUp.ONCE,
        help_text=_("What becomes of due moments that were missed in an outage."),
    )
    jitter_seconds = models.FloatField(
        _("jitter in seconds"),
        default=0.0,
        validators=[MinValueValidator(0.0)],
        help_text=_("Each job runs up to so much later."),
    )
    max_attempts = models.PositiveIntegerField(
        _("max attempts"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(MAX_ATTEMPTS)],
        help_text=_("Empty: the handler's."),
    )
    starts_at = models.DateTimeField(
        _("starts at"), null=True, blank=True, help_text=_("Nothing is due before.")
    )
    ends_at = models.DateTimeField(
        _("ends at"), null=True, blank=True, help_text=_("Nothing is due after.")
    )
    source = models.CharField(
        _("source"),
        max_length=20,
        choices=Source.choices,
        default=Source.OPERATOR,
        editable=False,
    )
    next_fire_at = models.DateTimeField(
        _("next fire at"), null=True, editable=False, help_text=_("Empty: not planned.")
    )
    planned_at = models.DateTimeField(_("planned at"), null=True, editable=False)
    planned_by = models.JSONField(
        _("planned by"), default=dict, db_default=Value({}, models.JSONField()), editable=False
    )
    is_over = models.BooleanField(
        _("is over"), default=False, editable=False, help_text=_("No due moment is to come.")
    )
    last_fired_at = models.DateTimeField(
        _("last fired at"),
        null=True,
        editable=False,
        help_text=_("The last due moment for which a job was made."),
    )
    last_error = models.TextField(_("last error"), default="", editable=False)
    skipped = models.PositiveIntegerField(
        _("skipped"),
        default=0,
        editable=False,
        help_text=_("How many fires found the last job unfinished."),
    )
    last_skipped_at = models.DateTimeField(_("last skipped at"), null=True, editable=False)

    objects: ClassVar[ScheduleManager] = ScheduleManager()

    class Meta:
        verbose_name = _("schedule")
        verbose_name_plural = _("schedules")
        permissions: ClassVar = [
            ("trigger_schedule", _("Can trigger, enable and disable schedules")),
        ]
        indexes: ClassVar = INDEXES
        constraints: ClassVar = CONSTRAINTS

    @property
    def zone_name(self) -> str:
        return self.timezone or settings.TIME_ZONE

    @property
    def zone(self) -> ZoneInfo:
        """Raises `UnknownZone`."""
        return zone_named(self.zone_name)

    @property
    def cron(self) -> Cron:
        """Raises `BadExpression` or `UnknownZone` if it can't be read."""
        from forge_jobs.cron.expression import Cron

        return Cron(self.expression, self.zone)

    def due_after(self, moment: datetime) -> datetime | None:
        """The first due moment that is later, within its start and end; None if there is none."""
        if self.starts_at and self.starts_at > moment:
            moment = self.starts_at - datetime.resolution
        due = self.cron.after(moment)
        return None if due and self.ends_at and due > self.ends_at else due

    def trigger(self, *, by: str = "") -> Job | None:
        """Make one job now, beside what is planned; None if `overlap` is `skip` and one is there.

        `by` says who asked. Raises an `EnqueueError` if the job can't be.
        """
        from forge_jobs.schedules.firing import trigger

        return trigger(self, by=by)

    def enable(self) -> bool:
        """Let it fire; False if it does already."""
        return self._changed(Schedule.objects.filter(pk=self.pk).enable())

    def disable(self) -> bool:
        """Let it fire no more; False if it does not anyway."""
        return self._changed(Schedule.objects.filter(pk=self.pk).disable())

    def clean_fields(self, exclude: Collection[str] | None = None) -> None:
        """Refuse what could never make a job, as `enqueue()` would."""
        super().clean_fields(exclude=exclude)
        if found := {name: text for name, text in faults(self) if name not in (exclude or ())}:
            raise ValidationError(found)

    def save(self, *, update_fields: Iterable[str] | None = None, **kwargs: Any) -> None:
        """A row that exists keeps the scheduler's columns, unless what it was planned by changed.

        A schedule fires while somebody edits it; what the form had loaded must not undo that.
        """
        if update_fields is None and not self._state.adding and not kwargs.get("force_insert"):
            names = {column.name for column in self._meta.local_concrete_fields}
            update_fields = names - {"id", *PROGRESS}
        if update_fields is not None:
            update_fields = {*update_fields} | self._void(update_fields)
        super().save(update_fields=update_fields, **kwargs)

    @classmethod
    def planted(cls, name: str, values: Mapping[str, Any]) -> Self:
        schedule = super().planted(name, values)
        schedule.source = Source.CODE
        return schedule

    @classmethod
    def as_seed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        return as_json(values)

    def sown(self, changes: dict[str, Any]) -> dict[str, Any]:
        """One that an operator had made by this name is the code's from now on."""
        return {**changes, **void_by({*changes}), "source": Source.CODE}

    def _void(self, names: Iterable[str]) -> set[str]:
        """Give up what was planned, if it was planned by something else; the columns changed."""
        compared = [name for name in PLANNED_BY if name in names]
        before = Schedule.objects.filter(pk=self.pk).values(*compared).first() if compared else None
        changed = {name for name in compared if before and getattr(self, name) != before[name]}
        for name, value in (void := void_by(changed)).items():
            setattr(self, name, value)
        return set(void)

    def _changed(self, rows: int) -> bool:
        self.refresh_from_db(using=db.connection().alias)
        return bool(rows)
