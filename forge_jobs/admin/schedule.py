"""Schedules: what fires when and how that went; to enable, trigger and edit."""

from __future__ import annotations

from collections.abc import Collection
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import DateTimeField, Field, QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.timezone import get_current_timezone_name
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from forge_jobs import clock
from forge_jobs.admin.base import assets
from forge_jobs.admin.board import BoardAdmin, neighbours
from forge_jobs.admin.buttons import Button, Refused, who
from forge_jobs.admin.fields import MomentField, MomentInput
from forge_jobs.conf.policies import Overlap, Source
from forge_jobs.exceptions import EnqueueError
from forge_jobs.fields import CronWidget
from forge_jobs.models import Schedule

if TYPE_CHECKING:
    from forge_jobs.admin.schedule_form import ScheduleForm

DECLARED: Final = _(
    "It is declared in code. What you change here stays until the code declares that same option "
    "differently."
)


@admin.register(Schedule)
class ScheduleAdmin(BoardAdmin):
    tab = "schedules"
    can_add = True
    page_template = "admin/forge_jobs/schedules.html"
    live_template = "forge_jobs/schedules.html"
    actions_row = actions_detail = (
        "forge_jobs_trigger_schedule",
        "forge_jobs_enable_schedule",
        "forge_jobs_disable_schedule",
    )
    fieldsets = (
        (None, {"fields": ["name", "kind", "payload"]}),
        (
            _("When"),
            {"fields": ["expression", "timezone", "is_enabled", "starts_at", "ends_at"]},
        ),
        (_("If things go wrong"), {"fields": ["overlap", "catch_up", "jitter_seconds"]}),
        (_("Its jobs"), {"fields": ["queue", "priority", "max_attempts"]}),
    )

    @property
    def form(self) -> type[ScheduleForm]:
        from forge_jobs.admin.schedule_form import ScheduleForm

        return ScheduleForm

    @property
    def media(self) -> forms.Media:
        return super().media + assets("jobs.css")

    def board(self, request: HttpRequest) -> dict[str, Any]:
        from forge_jobs.dashboard import schedules

        words, page = request.GET.get("q", ""), request.GET.get("p", "")
        shown = schedules.read(now=clock.now(), words=words, page=page)
        for line in shown.rows:
            line.buttons.extend(self.row_buttons(request, line.row))
        return {"lines": shown.rows, **neighbours(shown, words)}

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.preview)
        urls: list[URLPattern] = super().get_urls()
        return [path("preview/", view, name="forge_jobs_schedule_preview"), *urls]

    @method_decorator(require_GET)
    def preview(self, request: HttpRequest) -> HttpResponse:
        """JSON for the form: what an expression means, and when it is due next."""
        if not (self.has_view_permission(request) or self.has_add_permission(request)):
            raise PermissionDenied
        from forge_jobs.cron.preview import preview

        expression = request.GET.get("expression", "")
        zone = request.GET.get("timezone", "")
        return JsonResponse(preview(expression, zone, now=clock.now()))

    def formfield_for_dbfield(
        self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any
    ) -> Any:
        if db_field.name == "expression":
            site = self.admin_site.name
            address = reverse("admin:forge_jobs_schedule_preview", current_app=site)
            kwargs["widget"] = CronWidget(preview_url=address)
        elif isinstance(db_field, DateTimeField):
            kwargs |= {"form_class": MomentField, "widget": MomentInput}
            kwargs["help_text"] = f"{db_field.help_text} ({get_current_timezone_name()})"
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Schedule | None = None
    ) -> tuple[str, ...]:
        """Code knows its own by their names."""
        return ("name",) if obj and obj.source == Source.CODE else ()

    def get_object(
        self, request: HttpRequest, object_id: str, from_field: str | None = None
    ) -> Schedule | None:
        """For whoever may only look, Django shows the row itself, without the form."""
        row: Schedule | None = super().get_object(request, object_id, from_field)
        if row is not None and not self.has_change_permission(request, row):
            from forge_jobs.handlers.secrecy import shown

            row.payload = shown(row.payload, kind=row.kind)
        return row

    def get_fieldsets(self, request: HttpRequest, obj: Schedule | None = None) -> Any:
        if obj is None or obj.source != Source.CODE:
            return self.fieldsets
        (title, options), *others = self.fieldsets
        described: dict[str, Any] = {**options, "description": DECLARED}
        return ((title, described), *others)

    def save_model(
        self, request: HttpRequest, obj: Schedule, form: ScheduleForm, change: bool
    ) -> None:
        """Of one that exists, only what was changed: it may fire, or be changed, meanwhile."""
        columns = form.changed_columns()
        if not change:
            super().save_model(request, obj, form, change)
        elif columns:
            obj.save(update_fields=columns.keys())

    def is_declared(self, row: Schedule) -> bool:
        return row.name in _declared()

    def get_deleted_objects(
        self, objs: QuerySet[Schedule], request: HttpRequest
    ) -> tuple[list[str], dict[str, int], set[str], list[str]]:
        """What code declares would come back; it can be disabled."""
        deleted, counts, lacking, protected = super().get_deleted_objects(objs, request)
        declared = _declared()
        protected += [
            _("code declares %s; disable it instead") % schedule
            for schedule in objs
            if schedule.name in declared
        ]
        return deleted, counts, lacking, protected

    @Button(
        title=_("Trigger now"),
        permission="trigger_schedule",
        question=_("Make a job of %(row)s now?"),
        explanation=_("It comes beside what is planned, which stays as it is."),
    )
    def forge_jobs_trigger_schedule(self, request: HttpRequest, schedule: Schedule) -> str:
        try:
            job = schedule.trigger(by=who(request))
        except EnqueueError as error:
            raise Refused(_("No job was made. %s") % error) from None
        if job is None:
            label = Overlap(schedule.overlap).label
            raise Refused(_("Its last job is unfinished, and its overlap is %s.") % label)
        return _("The job %s was made.") % job

    @Button(
        title=_("Enable"),
        permission="trigger_schedule",
        question=_("Let %(row)s fire?"),
        explanation=_("It fires from its next due moment on; what it missed is not made up for."),
        suits=lambda schedule: not schedule.is_enabled,
        acts_at_once=True,
        undo="forge_jobs_disable_schedule",
    )
    def forge_jobs_enable_schedule(self, request: HttpRequest, schedule: Schedule) -> str:
        return _("Schedule %s is enabled.") % schedule if schedule.enable() else ""

    @Button(
        title=_("Disable"),
        permission="trigger_schedule",
        question=_("Let %(row)s fire no more?"),
        explanation=_("Jobs that it has made already are left alone."),
        suits=lambda schedule: schedule.is_enabled,
        acts_at_once=True,
        undo="forge_jobs_enable_schedule",
    )
    def forge_jobs_disable_schedule(self, request: HttpRequest, schedule: Schedule) -> str:
        return _("Schedule %s is disabled.") % schedule if schedule.disable() else ""


def _declared() -> Collection[str]:
    from forge_jobs.schedules import timetable

    return timetable.declared()
