"""All rows of a table on one page, each with its buttons, in place of Django's list."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _

from forge_jobs import db
from forge_jobs.admin import tabs
from forge_jobs.admin.base import ForgeAdmin, assets

if TYPE_CHECKING:
    from forge_jobs.dashboard.paging import Paged


class BoardAdmin(ForgeAdmin):
    """A page in place of a list. Each defines `board`; Django's metaclass can't demand it."""

    page_template: ClassVar[str]

    @property
    def media(self) -> forms.Media:
        return super().media + assets("cards.css")

    def board(self, request: HttpRequest) -> dict[str, Any]:
        """What the page's own part of the template needs."""
        raise NotImplementedError

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        with db.snapshot():
            board = self.board(request)
        context = {
            **self.context(request),
            "title": tabs.titled(self.tab),
            "has_add_permission": self.has_add_permission(request),
            **board,
            **(extra_context or {}),
        }
        return self.alive(request, TemplateResponse(request, self.page_template, context))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """With the tabs, and the row's buttons."""
        row = context["original"]
        buttons = list(self.buttons(request, row, self.actions_detail)) if row else []
        is_declared = bool(row and self.is_declared(row))
        context = {
            **self.context(request),
            **context,
            "buttons": buttons,
            "is_declared": is_declared,
        }
        response: HttpResponse = super().render_change_form(request, context, *args, **kwargs)
        return response

    def is_declared(self, row: Any) -> bool:
        """Whether code or settings declare it: deleted, it would come back."""
        return False

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        context = {**self.context(request), **(extra_context or {})}
        response: HttpResponse = super().delete_view(request, object_id, context)
        return response

    def row_buttons(self, request: HttpRequest, row: Model) -> list[dict[str, Any]]:
        """The buttons that suit a row, and the way to its form, for whoever may change it."""
        shown = list(self.buttons(request, row, self.actions_row))
        if self.has_change_permission(request, row):
            title = _("Edit")
            shown.append({"title": title, "path": self.address_of(row), "label": f"{title}: {row}"})
        return shown


def neighbours(page: Paged[Any], words: str) -> dict[str, Any]:
    """What the template says of a page: what was sought, how much fits, where there is more."""

    def address(number: int | None) -> str:
        return "?" + urlencode({"q": words, "p": number}) if number else ""

    return {
        "words": words,
        "matched": page.matched,
        "previous": address(page.before),
        "next": address(page.after),
    }
