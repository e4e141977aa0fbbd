"""Jobs: the list with its filters, and all of one job."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from forge_jobs import clock, db
from forge_jobs.admin.base import ForgeAdmin, assets
from forge_jobs.admin.job_acts import NAMES, JobButtons
from forge_jobs.models import Job

LOGGED: Final = 50


@admin.register(Job)
class JobAdmin(JobButtons, ForgeAdmin):
    tab = "jobs"
    live_template = "forge_jobs/job_list.html"
    actions_row = actions_detail = NAMES

    @property
    def media(self) -> forms.Media:
        return super().media + assets("jobs.css", "jobs.js", "copy.js")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """Django's own way would delete what runs, too; ours are the button and the action."""
        return False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        """Without what may be large: a page reads it as text."""
        from forge_jobs.dashboard.list_page import HEAVY

        return Job.objects.defer(*HEAVY)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        from forge_jobs.admin.job_bulk import BulkRequest, asked_at
        from forge_jobs.admin.job_list import JobListPage

        now = clock.now()
        if request.method == "POST":
            page = JobListPage(self, request, asked_at(request, now=now))
            return BulkRequest(self, request, page.filter).answer()
        with db.snapshot():
            listed = JobListPage(self, request, now).context
        context = {
            **self.context(request),
            "title": capfirst(self.opts.verbose_name_plural),
            **listed,
            **(extra_context or {}),
        }
        response = TemplateResponse(request, "admin/forge_jobs/job_list.html", context)
        return self.alive(request, response)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        from forge_jobs.dashboard.job_page import JobPage

        job = self.get_object(request, object_id)
        if job is None:
            messages.warning(request, _("There is no job #%(id)s.") % {"id": object_id[:40]})
            return redirect(self.url("changelist"))
        with db.snapshot():
            page = JobPage.read(job, now=clock.now())
        context = {
            **self.context(request),
            "title": str(job),
            "page": page,
            "buttons": list(self.buttons(request, job, self.actions_detail)),
            "log": list(self._log_of(job)),
            "original": job,
            "live_template": "forge_jobs/job.html",
            **(extra_context or {}),
        }
        response = TemplateResponse(request, "admin/forge_jobs/job.html", context)
        return self.alive(request, response)

    def _log_of(self, job: Job) -> QuerySet[LogEntry]:
        """Who did what to it, the newest first."""
        entries = LogEntry.objects.filter(
            content_type=get_content_type_for_model(Job), object_id=str(job.pk)
        )
        return entries.select_related("user").order_by("-action_time")[:LOGGED]
