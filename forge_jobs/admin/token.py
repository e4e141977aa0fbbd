"""Tokens of the HTTP API: what each may, a form to make one, a button to revoke one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from forge_jobs import clock
from forge_jobs.admin.base import assets
from forge_jobs.admin.board import BoardAdmin, neighbours
from forge_jobs.admin.buttons import Button, who
from forge_jobs.admin.fields import in_lines, moment_of
from forge_jobs.models import ApiToken

if TYPE_CHECKING:
    from forge_jobs.admin.token_form import ApiTokenForm

PAGE: Final = 24
MOMENTS: Final = (
    moment_of("created_at", _("made")),
    moment_of("expires_at", _("good until")),
    moment_of("last_used_at", _("last used")),
    moment_of("revoked_at", _("revoked")),
)


@admin.register(ApiToken)
class ApiTokenAdmin(BoardAdmin):
    """Whoever knew a token's text could do more if somebody widened it: nobody edits one."""

    tab = "tokens"
    can_add = True
    page_template = "admin/forge_jobs/tokens.html"
    live_template = "forge_jobs/tokens.html"
    actions_row = actions_detail = ("forge_jobs_revoke_token",)

    @property
    def form(self) -> type[ApiTokenForm]:
        from forge_jobs.admin.token_form import ApiTokenForm

        return ApiTokenForm

    @property
    def media(self) -> forms.Media:
        return super().media + assets("jobs.css", "copy.js")

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        """What a token was is looked up when something has happened: it is kept."""
        return False

    def board(self, request: HttpRequest) -> dict[str, Any]:
        from forge_jobs.dashboard.paging import Paged, sought

        words, page = request.GET.get("q", ""), request.GET.get("p", "")
        tokens: Any = ApiToken.objects.good_first(now=clock.now())
        if text := sought(words):
            tokens = tokens.filter(name__icontains=text)
        shown: Paged[Any] = Paged.of(tokens, size=PAGE, page=page)
        cards = [
            {
                "row": token,
                "state": _state(token),
                "may": _may(token),
                "buttons": self.row_buttons(request, token),
            }
            for token in shown.rows
        ]
        return {"cards": cards, **neighbours(shown, words)}

    def get_fields(self, request: HttpRequest, obj: ApiToken | None = None) -> tuple[Any, ...]:
        if obj is None:
            own = ("name", "permissions", "kinds", "good_for")
            return (*own, "acts_for") if request.user.is_superuser else own
        return ("name", "acting_for", "may", "may_enqueue", *MOMENTS, "revoked_by")

    def get_readonly_fields(
        self, request: HttpRequest, obj: ApiToken | None = None
    ) -> tuple[Any, ...]:
        return self.get_fields(request, obj) if obj else ()

    @admin.display(description=_("acts for"))
    def acting_for(self, token: ApiToken) -> str:
        return token.owner_name

    @admin.display(description=_("may"))
    def may(self, token: ApiToken) -> str:
        return in_lines(_may(token))

    @admin.display(description=_("may also enqueue"))
    def may_enqueue(self, token: ApiToken) -> str:
        return in_lines(token.kinds)

    def get_form(
        self, request: HttpRequest, obj: ApiToken | None = None, change: bool = False, **kwargs: Any
    ) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"user": request.user})

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """There is nothing to go on with."""
        context = {**context, "is_shown_once": True}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(
        self, request: HttpRequest, obj: ApiToken, form: ApiTokenForm, change: bool
    ) -> None:
        said = form.cleaned_data
        owner = said.get("acts_for") or request.user
        seconds = said["good_for"]
        token, text = ApiToken.objects.issue(
            name=obj.name,
            owner_key=str(owner.pk),
            owner_name=owner.get_username(),
            permissions=said["permissions"],
            kinds=said["kinds"],
            expires_at=None if seconds is None else clock.now() + timedelta(seconds=seconds),
        )
        obj.__dict__.update(token.__dict__, text=text)

    def response_add(
        self, request: HttpRequest, obj: Any, post_url_continue: str | None = None
    ) -> HttpResponse:
        """The one page that shows the text: a message would keep it in a session or a cookie."""
        context = {**self.context(request), "title": str(obj), "token": obj, "text": obj.text}
        template = "admin/forge_jobs/token_issued.html"
        return TemplateResponse(request, template, context, headers={"Cache-Control": "no-store"})

    @Button(
        title=_("Revoke"),
        permission="revoke_apitoken",
        question=_("Revoke the token %(row)s?"),
        explanation=_("It is good no more, from the next request on. There is no way back."),
        suits=lambda token: token.is_good(now=clock.now()),
        is_dangerous=True,
    )
    def forge_jobs_revoke_token(self, request: HttpRequest, token: ApiToken) -> str:
        revoked = ApiToken.objects.revoke(token, by=who(request), now=clock.now())
        return str(_("The token %s is revoked.")) % token if revoked else ""


def _may(token: ApiToken) -> list[Any]:
    """In the order of the form."""
    from forge_jobs.admin.token_form import LABELS

    return [label for name, label in LABELS.items() if name in token.permissions]


def _state(token: ApiToken) -> str:
    if token.revoked_at:
        return "revoked"
    return "good" if token.is_good(now=clock.now()) else "expired"
