"""What every request goes through: who asks, how much is sent, and how failures are told."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, NoReturn

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.signals import got_request_exception
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils.log import log_response
from django.views.decorators.csrf import csrf_exempt

from forge_jobs.api.auth import authenticate
from forge_jobs.api.problems import Problem, not_found
from forge_jobs.api.reading import read_body

View = Callable[..., HttpResponse]

WITH_BODY: Final = ("POST", "PUT", "PATCH", "DELETE")
BUSY: Final = {"Retry-After": "1"}


def door(view: View) -> View:
    """For whoever may come in."""
    return _guarded(view, admit=authenticate)


def open_door(view: View) -> View:
    """For everybody."""
    return _guarded(view, admit=lambda request: None)


def _guarded(view: View, *, admit: Callable[[HttpRequest], None]) -> View:
    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            response = _answered(view, request, admit, args, kwargs)
        except Problem as problem:
            response = problem.response()
        except Exception as error:
            response = _failure(request, error)
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    # Both are asked for by `admit`, of those who come with a session.
    return csrf_exempt(login_not_required(guarded))


def nowhere(request: HttpRequest, **kwargs: Any) -> NoReturn:
    raise not_found("There is nothing at this address; see docs for what there is.")


def _answered(
    view: View,
    request: HttpRequest,
    admit: Callable[[HttpRequest], None],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> HttpResponse:
    _refuse_nul(request)
    if request.method == "OPTIONS":
        return _allowed(view, request, args, kwargs)
    admit(request)
    if request.method in WITH_BODY:
        read_body(request)
    asked, request.method = request.method, "GET" if request.method == "HEAD" else request.method
    response = view(request, *args, **kwargs)
    request.method = asked
    if response.status_code == 405:
        raise Problem(
            405,
            "method-not-allowed",
            f"{asked} is not allowed here; {response.headers['Allow']} is.",
            headers={"Allow": _with_head(response)},
        )
    if asked == "HEAD":
        response.headers["Content-Length"] = str(len(response.content))
        response.content = b""
    return response


def _refuse_nul(request: HttpRequest) -> None:
    """No database could look for it."""
    words = (
        request.path_info,
        *request.GET,
        *(one for many in request.GET.lists() for one in many[1]),
    )
    if any("\0" in word for word in words):
        raise Problem(400, "bad-request", "The address has the character NUL in it.")


def _allowed(
    view: View, request: HttpRequest, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> HttpResponse:
    """Which methods there are. Other origins are told of none: there is no CORS here."""
    response = view(request, *args, **kwargs)
    return HttpResponse(status=204, headers={"Allow": _with_head(response)})


def _with_head(response: HttpResponse) -> str:
    methods = {*response.headers.get("Allow", "GET").split(", "), "OPTIONS"}
    return ", ".join(sorted(methods | {"HEAD"} if "GET" in methods else methods))


def _failure(request: HttpRequest, error: Exception) -> HttpResponse:
    """Told to whoever listens for failures of views, as Django does; raised while debugging."""
    if isinstance(error, OperationalError | InterfaceError):
        told = Problem(503, "unavailable", "Try again in a moment.", headers=BUSY)
    elif settings.DEBUG:
        raise error
    else:
        told = Problem(500, "failed", "It has been written to the log of the server.")
    response = told.response()
    got_request_exception.send(sender=None, request=request)
    log_response("%s: %s", request.path, told, response=response, request=request, exception=error)
    return response
