"""Checks of what the settings say: `FORGE_JOBS`, and what of Django's it depends on."""

from collections.abc import Sequence
from typing import Any

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from forge_jobs.conf import conf


@register()
def check_settings(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        alias = conf().database
    except ImproperlyConfigured as error:
        return [Error(str(error), id="forge_jobs.E001")]
    found: list[CheckMessage] = []
    if alias not in connections:
        found.append(
            Error(
                f'FORGE_JOBS["DATABASE"] is {alias!r}, which is not in DATABASES.',
                hint=f"Name one of {', '.join(connections)}.",
                id="forge_jobs.E002",
            )
        )
    if not settings.USE_TZ:
        found.append(
            Error(
                "forge_jobs needs USE_TZ = True: due times without a time zone are ambiguous.",
                id="forge_jobs.E007",
            )
        )
    return found
