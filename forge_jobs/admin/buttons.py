"""Buttons that change something by a POST, most after a question; each leaves a line in the log."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Protocol
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import AdminSite
from django.contrib.admin.models import LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from forge_jobs.admin.undo import MEMORY, TooLate, remembered, signed

Text = str | Promise
LIVE: Final = "application/json"
"""What a page's own script asks for: what is live on the page, or what came of a button."""
UNDO: Final = '{} <button type="submit" form="mc-acts" formaction="{}" class="mc-undo">{}</button>'

LONGEST_WAY: Final = 2_000
"""Django redirects to no longer address."""


class Refused(Exception):
    """Why a button could not do what it was asked, in a sentence."""


class Owner(Protocol):
    """What a button asks of the admin that has it."""

    admin_site: AdminSite

    def has_view_permission(self, request: HttpRequest) -> bool: ...
    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]: ...
    def context(self, request: HttpRequest) -> dict[str, Any]: ...
    def address_of(self, row: Model) -> str: ...
    def log_change(self, request: HttpRequest, row: Model, message: str) -> LogEntry: ...


class Act(Protocol):
    """What a button does to a row; returns what happened, or "" if nothing did.

    May raise `Refused`.
    """

    def __call__(self, admin: Any, request: HttpRequest, row: Any, /) -> str: ...


@dataclass(frozen=True, kw_only=True, eq=False)
class Button:
    """`permission` is one of forge_jobs; `question` names the row as `%(row)s`.

    `suits` tells for which rows the button is there; the act itself is guarded all the same. What
    `acts_at_once` is not asked about. `undo` names the button that takes it back, and `memory` is
    what that one must know, of what `before` kept and of the row; None where there is no way back.
    """

    title: Text
    permission: str
    question: Text
    suits: Callable[[Any], bool] = field(default=lambda row: True)
    explanation: Text = ""
    is_dangerous: bool = False
    asks_why: bool = False
    acts_at_once: bool = False
    undo: str = ""
    before: Callable[[Any], Any] = field(default=lambda row: None)
    memory: Callable[[Any, Any], dict[str, Any] | None] = field(default=lambda before, row: {})
    form: Callable[..., Form] | None = None
    """Makes the form of what else is asked; the act finds the answers by `answered()`."""

    def __call__(self, act: Act) -> ButtonView:
        return ButtonView(self, act)

    def is_allowed(self, request: HttpRequest) -> bool:
        return request.user.has_perm(f"forge_jobs.{self.permission}")


class ButtonView:
    """A method of an admin, as `django-admin-actions` wants it: a view of a row's key."""

    def __init__(self, button: Button, act: Act) -> None:
        self.button = button
        self.act = act
        self.short_description = button.title
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, admin: Owner | None, owner: type) -> Any:
        return self if admin is None else BoundButton(admin, self)


class BoundButton:
    """The view of one admin's button: asks by GET, acts by POST."""

    def __init__(self, admin: Owner, view: ButtonView) -> None:
        self.admin = admin
        self.button = view.button
        self.act = view.act
        self.name = view.name
        self.short_description = view.short_description
        # What Django's `admin_view` looks at, or copies.
        self.__name__ = view.name
        self.__doc__ = view.act.__doc__
        self.__module__ = view.act.__module__

    @property
    def url_path(self) -> str:
        return self.name.removeprefix("forge_jobs_").replace("_", "-")

    def __call__(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not self.button.is_allowed(request) or not self.admin.has_view_permission(request):
            raise PermissionDenied
        row = self.admin.get_queryset(request).filter(pk=pk).first()
        if row is None:
            raise Http404(_("There is no such row any more."))
        if request.method == "POST":
            return self.carry_out(request, row)
        return self.ask(request, row)

    def ask(self, request: HttpRequest, row: Model, form: Form | None = None) -> HttpResponse:
        if form is None and self.button.form:
            form = self.button.form()
        context = {
            **self.admin.context(request),
            "title": self.button.title,
            "question": self.button.question % {"row": row},
            "explanation": self.button.explanation,
            "is_dangerous": self.button.is_dangerous,
            "asks_why": self.button.asks_why,
            "form": form,
            "row": row,
            "back": way_back(request, self.admin.address_of(row)),
        }
        return TemplateResponse(request, "admin/forge_jobs/confirm.html", context)

    def carry_out(self, request: HttpRequest, row: Model) -> HttpResponse:
        if self.button.form and not (form := self.button.form(request.POST)).is_valid():
            return self.ask(request, row, form)
        back = way_back(request, self.admin.address_of(row))
        return self._answer(request, row, back=back).to(request, back=back)

    def _answer(self, request: HttpRequest, row: Model, *, back: str) -> Answer:
        before = self.button.before(row)
        try:
            remembered(request, self.name, row)
            told = self.act(self.admin, request, row)
        except (Refused, TooLate) as why:
            return Answer(messages.ERROR, str(why))
        if not told:
            changed = _("Nothing was changed: %(row)s is no longer as it was.") % {"row": row}
            return Answer(messages.WARNING, changed)
        entry = self.admin.log_change(request, row, told)
        return Answer(messages.SUCCESS, told, self._undo(row, before, entry, back=back))

    def _undo(self, row: Model, before: Any, entry: LogEntry, *, back: str) -> str:
        memory = self.button.memory(before, row) if self.button.undo else None
        if memory is None:
            return ""
        site = self.admin.admin_site.name
        address = reverse(f"admin:{self.button.undo}", args=[row.pk], current_app=site)
        token = signed(self.button.undo, entry, memory)
        return f"{address}?{urlencode({'back': back, MEMORY: token})}"


class Answer(NamedTuple):
    """What came of pressing a button; `undo` is where to post to take it back, if that can be."""

    level: int
    told: str
    undo: str = ""

    def to(self, request: HttpRequest, *, back: str) -> HttpResponse:
        """For a page's script as JSON, and else as a message on the page that the button was on."""
        if request.headers.get("Accept") == LIVE:
            tone = messages.DEFAULT_TAGS[self.level]
            return JsonResponse({"told": self.told, "tone": tone, "undo": self.undo})
        told = self.told
        if self.undo:
            told = format_html(UNDO, told, self.undo, _("Undo"))
        messages.add_message(request, self.level, told)
        return redirect(back)


def way_back(request: HttpRequest, otherwise: str) -> str:
    """The page that the button was on, if it is one of ours."""
    back = request.POST.get("back") or request.GET.get("back") or ""
    is_ours = url_has_allowed_host_and_scheme(
        back, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    is_short = back.startswith("/") and len(back) <= LONGEST_WAY
    return back if is_ours and is_short else otherwise


def who(request: HttpRequest) -> str:
    """As whom the jobs remember the person."""
    return request.user.get_username()


def answered(request: HttpRequest, form: Callable[..., Form]) -> dict[str, Any]:
    """What was answered to a question with a form, which was found to be valid before."""
    given = form(request.POST)
    given.full_clean()
    return given.cleaned_data


def reason(request: HttpRequest) -> str:
    """Why, in the person's words; empty if nothing was said."""
    return request.POST.get("reason", "").replace("\0", "").strip()[:500]
