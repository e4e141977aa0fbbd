"""What all pages of Mission Control share: tabs, buttons by permission, and live parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from admin_actions.admin import ActionsModelAdmin
from django import forms
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.options import get_content_type_for_model
from django.db import transaction
from django.db.models import Model
from django.forms.widgets import Script
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString

from forge_jobs import db
from forge_jobs.admin import tabs
from forge_jobs.admin.buttons import LIVE, BoundButton

HAVE: Final = "Forge-Jobs-Have"
"""The header in which a page's script says what it has."""


def assets(style: str, *scripts: str) -> forms.Media:
    """Static files of ours; the scripts run once the page is there."""
    deferred: list[Any] = [Script(f"forge_jobs/{script}", defer=True) for script in scripts]
    return forms.Media(css={"all": [f"forge_jobs/{style}"]}, js=deferred)


class ForgeAdmin(ActionsModelAdmin):  # type: ignore[misc] # it has no types
    """The admin of one of our tables, as a tab of Mission Control.

    Nobody adds rows by hand unless a subclass says `can_add`. `live_template` has the parts that
    the page's script renews: a GET that accepts JSON alone answers with it, as `{"html": …}`;
    every page that is answered with by `alive()` has some.
    """

    tab: ClassVar[str] = ""
    can_add: ClassVar[bool] = False
    live_template: ClassVar[str] = ""
    view_on_site = False
    empty_value_display = "–"

    Media = None  # what django-admin-actions names there lies in an app that is not installed

    @property
    def media(self) -> forms.Media:
        """None of Django's own: no page of ours needs its scripts."""
        ours = assets("ground.css") + assets("mission-control.css", "mission-control.js")
        return ours + assets("seat.css", "at-hand.js", "keys.js")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.can_add and bool(super().has_add_permission(request))

    def tab_of(self, request: HttpRequest) -> str:
        return self.tab

    def context(self, request: HttpRequest) -> dict[str, Any]:
        """What each page's template may use."""
        site = self.admin_site
        return {
            **site.each_context(request),
            "opts": self.opts,
            "media": self.media,
            "tabs": tabs.shown(request, current=self.tab_of(request), site=site.name),
        }

    def address_of(self, row: Model) -> str:
        """Where to see a row: its own page."""
        return self.url("change", row.pk)

    def url(self, view: str, *args: Any) -> str:
        """The address of one of Django's own views of this table."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_{view}"
        return reverse(name, args=args, current_app=self.admin_site.name)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        django: Any = super(ActionsModelAdmin, self)  # the other's way would fail at odd ids
        response: HttpResponse = django.change_view(request, object_id, form_url, extra_context)
        return response

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        with _as_one(request):
            response: HttpResponse = self._changeform_view(
                request, object_id, form_url, extra_context
            )
        return response

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        with _as_one(request):
            response: HttpResponse = self._delete_view(request, object_id, extra_context)
        return response

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**self.context(request), **(extra_context or {})}
        history: HttpResponse = super().history_view(request, object_id, context)
        return history

    def alive(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """The page, or where its script asked, what has changed of its live parts and charts.

        The script says in a header which versions it has; nothing is sent if those are all.
        """
        if not isinstance(response, TemplateResponse):
            return response
        from django.middleware.gzip import GZipMiddleware

        from forge_jobs.admin import versions

        context = response.context_data = dict(response.context_data or {})
        charts = context.get("charts", {})
        if request.headers.get("Accept") != LIVE:
            context["charts"] = versions.chart_news(charts, known=())
            response.add_post_render_callback(versions.add_to)
            return response
        known = frozenset(request.headers.get(HAVE, "").split(","))
        live = render_to_string(context.get("live_template", self.live_template), context, request)
        news = versions.chart_news(charts, known=known)
        if html := versions.changed(live, known=known):
            news["html"] = html
        headers = {"Cache-Control": "no-store"}
        if not news:
            return HttpResponse(status=204, headers=headers)
        compact = {"separators": (",", ":"), "ensure_ascii": False}
        answer = JsonResponse(news, headers=headers, json_dumps_params=compact)
        # Its answers are of random length, so that nobody can guess from it what is inside.
        GZipMiddleware(lambda request: HttpResponse()).process_response(request, answer)  # in place
        return answer

    def rendered_buttons(self, request: HttpRequest, row: Model) -> SafeString:
        shown = list(self.buttons(request, row, self.actions_row))
        return render_to_string("admin/forge_jobs/row_buttons.html", {"buttons": shown})

    def buttons(
        self, request: HttpRequest, row: Model, names: tuple[str, ...]
    ) -> Iterator[dict[str, Any]]:
        back = urlencode({"back": request.get_full_path()})
        for name in names:
            bound: BoundButton = getattr(self, name)
            if bound.button.is_allowed(request) and bound.button.suits(row):
                address = reverse(f"admin:{name}", args=[row.pk], current_app=self.admin_site.name)
                yield {
                    "title": bound.button.title,
                    "path": f"{address}?{back}",
                    "name": name,
                    "acts_at_once": bound.button.acts_at_once,
                    "is_dangerous": bound.button.is_dangerous,
                    "label": f"{bound.button.title}: {row}",
                }

    def log_many(self, request: HttpRequest, rows: str, message: str) -> None:
        """Note in the admin's log what was done to many rows at once."""
        LogEntry.objects.create(
            user_id=request.user.pk or 0,
            content_type_id=get_content_type_for_model(self.model).pk,
            object_repr=rows[:200],
            action_flag=CHANGE,
            change_message=message,
        )


def _as_one(request: HttpRequest) -> AbstractContextManager[object]:
    """A change in one transaction of the job database; Django would ask a router which one."""
    is_change = request.method == "POST"
    return transaction.atomic(using=db.connection().alias) if is_change else nullcontext()
