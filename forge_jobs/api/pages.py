"""The description itself, and a page to read it and to try it; all that it needs is served here."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import reverse

from forge_jobs.api.openapi import described
from forge_jobs.api.problems import not_found

ASSETS: Final = {
    "swagger-ui.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
}
"""What django-ninja brings along, which is no app of the project."""

A_DAY: Final = "public, max-age=86400"


def openapi(request: HttpRequest) -> HttpResponse:
    address = request.build_absolute_uri(reverse("forge_jobs_api:root")).rstrip("/")
    return JsonResponse(described(address))


def docs(request: HttpRequest) -> HttpResponse:
    return render(request, "forge_jobs/api.html")


def asset(request: HttpRequest, name: str) -> HttpResponse:
    if name not in ASSETS:
        raise not_found("There is no such file.")
    content = files("ninja").joinpath("static", "ninja", name).read_bytes()
    return HttpResponse(content, content_type=ASSETS[name], headers={"Cache-Control": A_DAY})
