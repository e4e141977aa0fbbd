"""Who asks: somebody with a session, or a token that acts for somebody."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware

from forge_jobs import clock
from forge_jobs.api.bearer import bearer
from forge_jobs.api.problems import Problem, forbidden
from forge_jobs.models import ApiToken

LONGEST_NAME: Final = 200
CHALLENGE: Final = {"WWW-Authenticate": 'Bearer realm="forge_jobs"'}


class TokenUser:
    """The owner of a token as far as the token goes; the admin's rules take it for a user."""

    is_authenticated = True
    is_anonymous = False
    is_superuser = False

    def __init__(self, owner: Any, token: ApiToken) -> None:
        self.owner = owner
        self.token = token
        self.pk = self.id = owner.pk

    @property
    def is_active(self) -> bool:
        return bool(self.owner.is_active)

    @property
    def is_staff(self) -> bool:
        return bool(getattr(self.owner, "is_staff", False))

    def get_username(self) -> str:
        return f"{self.owner.get_username()} (token {self.token.name})"[:LONGEST_NAME]

    def has_perm(self, permission: str, obj: object = None) -> bool:
        label, _, codename = permission.partition(".")
        is_within = label == "forge_jobs" and codename in self.token.permissions
        return is_within and self.owner.has_perm(permission, obj)

    def has_perms(self, permissions: Sequence[str], obj: object = None) -> bool:
        return all(self.has_perm(permission, obj) for permission in permissions)

    def has_module_perms(self, label: str) -> bool:
        return label == "forge_jobs" and bool(self.token.permissions)


def authenticate(request: HttpRequest) -> None:
    """Let `request.user` be whoever asks; raises `Problem`.

    With an `Authorization` the session counts for nothing, not even if the token is no good.
    """
    if "Authorization" in request.headers:
        request.user = _of_token(request.headers["Authorization"])  # type: ignore[assignment] # as good as one
    elif request.user.is_authenticated:
        _refuse_forged(request)
    else:
        raise Problem(401, "unauthorized", "Send a token, or a session.", headers=CHALLENGE)
    if not admin.site.has_permission(request):
        raise forbidden("Nobody may use this who may not enter the admin.")


def _of_token(header: str) -> TokenUser:
    scheme, _, text = header.partition(" ")
    now = clock.now()
    found = bearer(text.strip(), now=now) if scheme.lower() == "bearer" else None
    if found is None:
        raise Problem(
            401,
            "unauthorized",
            "The token is unknown, expired or revoked. Send: Authorization: Bearer fjt_...",
            headers=CHALLENGE,
        )
    token, owner = found
    ApiToken.objects.note_use(token, now=now)
    return TokenUser(owner, token)


class _Check(CsrfViewMiddleware):
    def _reject(self, request: HttpRequest, reason: str) -> HttpResponse:
        raise forbidden(f"{reason} With a session, send the CSRF token as X-CSRFToken.")


def _refuse_forged(request: HttpRequest) -> None:
    """As Django does it before views, which have to be exempt for those with tokens."""
    request.csrf_processing_done = False  # type: ignore[attr-defined] # Django's own mark
    check = _Check(lambda request: HttpResponse())
    check.process_request(request)
    check.process_view(request, _view, (), {})


def _view(request: HttpRequest) -> HttpResponse:
    """Exempt from nothing."""
    return HttpResponse()
