"""`path("jobs/api/", include("forge_jobs.api.urls"))`."""

from __future__ import annotations

from typing import Any, Final

from django.urls import path, re_path

from forge_jobs.api import pages
from forge_jobs.api.door import door, nowhere, open_door
from forge_jobs.api.site import api

OPEN: Final = frozenset({"get_ready"})

app_name = "forge_jobs_api"


def _through_the_door() -> list[Any]:
    found: Any = api.urls[0]
    for pattern in found:
        if pattern.name != "api-root":
            way = open_door if pattern.name in OPEN else door
            pattern.callback = way(pattern.callback)
    return [pattern for pattern in found if pattern.name != "api-root"]


urlpatterns = [
    *_through_the_door(),
    path("", open_door(nowhere), name="root"),
    path("docs", open_door(pages.docs), name="docs"),
    path("openapi.json", open_door(pages.openapi), name="openapi"),
    path("docs/assets/<str:name>", open_door(pages.asset), name="asset"),
    re_path(r"^[\s\S]*$", open_door(nowhere)),  # an address may have the ends of lines in it
]
