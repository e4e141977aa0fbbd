"""Answers who may scrape, in the format that they ask for."""

from __future__ import annotations

from typing import Final

from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from forge_jobs import clock
from forge_jobs.conf import conf
from forge_jobs.contrib.prometheus import cluster, text

SCHEME: Final = "bearer"
OPENMETRICS: Final = "openmetrics-text"
PLAIN: Final = "text/plain; version=0.0.4; charset=utf-8"
OPENLY: Final = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@login_not_required
@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has `FORGE_JOBS["METRICS_TOKEN"]`, or is logged in and may see jobs."""
    if not _has_token(request):
        user = getattr(request, "user", None)
        if user is None or not user.is_authenticated:
            challenge = {"WWW-Authenticate": 'Bearer realm="jobs"'}
            return HttpResponse("A token is needed.", status=401, headers=challenge)
        if not user.has_perm("forge_jobs.view_job"):
            raise PermissionDenied
    families = cluster.families(now=clock.now())
    if _prefers_openmetrics(request):
        return HttpResponse(text.openly(families), content_type=OPENLY)
    return HttpResponse(text.plain(families), content_type=PLAIN)


def _has_token(request: HttpRequest) -> bool:
    """Without a token in the settings nobody has it."""
    token = conf().metrics_token
    scheme, _, given = request.headers.get("Authorization", "").partition(" ")
    return bool(token and scheme.lower() == SCHEME and constant_time_compare(given.strip(), token))


def _prefers_openmetrics(request: HttpRequest) -> bool:
    """Not by the client's `choose_encoder()`, which stumbles over versions that are no numbers."""
    wanted = [media.sub_type for media in request.accepted_types]
    return OPENMETRICS in wanted and "plain" not in wanted[: wanted.index(OPENMETRICS)]
