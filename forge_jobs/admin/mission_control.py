"""Mission Control's own pages: the overview, and the health of database and processes."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock
from forge_jobs.admin.base import ForgeAdmin
from forge_jobs.dashboard.overview import Overview
from forge_jobs.models import MissionControl


@admin.register(MissionControl)
class MissionControlAdmin(ForgeAdmin):
    """Whoever may see jobs may see these pages; the rows themselves are others' tabs."""

    tab = "overview"
    live_template = "forge_jobs/overview.html"

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("forge_jobs.view_job")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {
            **self.context(request),
            "title": _("Overview"),
            "overview": Overview.read(now=clock.now()),
            **(extra_context or {}),
        }
        response = TemplateResponse(request, "admin/forge_jobs/overview.html", context)
        return self.alive(request, response)
