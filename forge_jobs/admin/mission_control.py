"""Mission Control's own pages: the overview, and the health of database and processes."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path

from forge_jobs.admin.base import ForgeAdmin, assets
from forge_jobs.models import MissionControl

OVERVIEW: Final = "forge_jobs_missioncontrol_changelist"
HEALTH: Final = "forge_jobs_health"


@admin.register(MissionControl)
class MissionControlAdmin(ForgeAdmin):
    """Whoever may see jobs may see these pages; the rows themselves are others' tabs."""

    tab = "overview"

    @property
    def media(self) -> forms.Media:
        return super().media + assets("uplot/uPlot.min.css", "uplot/uPlot.iife.min.js", "charts.js")

    def has_view_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return request.user.has_perm("forge_jobs.view_job")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def tab_of(self, request: HttpRequest) -> str:
        is_health = request.resolver_match and request.resolver_match.url_name == HEALTH
        return "health" if is_health else "overview"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.health_view)
        overview = [url for url in super().get_urls() if url.name == OVERVIEW]
        return [path("health/", view, name=HEALTH), *overview]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        self.refuse_strangers(request)
        from forge_jobs.admin.mission_control_pages import overview

        return self.page(request, "overview", {**overview(request), **(extra_context or {})})

    def health_view(self, request: HttpRequest) -> HttpResponse:
        self.refuse_strangers(request)
        from forge_jobs.admin.mission_control_pages import health

        return self.page(request, "health", health(request))

    def page(self, request: HttpRequest, name: str, context: dict[str, Any]) -> HttpResponse:
        """A page with charts, or where its script asked for them, its live parts and numbers."""
        everything = {
            **self.context(request),
            "live_template": f"forge_jobs/{name}.html",
            **context,
        }
        response = TemplateResponse(request, f"admin/forge_jobs/{name}.html", everything)
        return self.alive(request, response)

    def refuse_strangers(self, request: HttpRequest) -> None:
        if not self.has_view_permission(request):
            raise PermissionDenied
