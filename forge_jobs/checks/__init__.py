"""What would go wrong later is said at start-up, with what to do.

What a check needs is imported when it is run: few processes of a web server run any.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Tags, register

AT_START: Final = "forge_jobs_at_start"
"""The tag of what `runjobs` looks at before it starts."""

Databases = Iterable[str] | None


@register()
def check_project(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Its code and its settings."""
    from forge_jobs.checks import children, handlers, schedules, settings

    return [
        *children.check_programs(app_configs),
        *handlers.check_handlers(app_configs),
        *schedules.check_schedules(app_configs),
        *settings.check_settings(app_configs),
    ]


@register(Tags.database, AT_START)
def check_database(
    app_configs: Sequence[AppConfig] | None, databases: Databases, **kwargs: Any
) -> list[CheckMessage]:
    from forge_jobs.checks import database

    return database.check_database(app_configs, databases)


@register(Tags.database)
def check_version_of_sqlite(
    app_configs: Sequence[AppConfig] | None, databases: Databases, **kwargs: Any
) -> list[CheckMessage]:
    """Not at each start: it says nothing new then, and few can choose theirs."""
    from forge_jobs.checks import database

    return database.check_wal_reset_fault(app_configs, databases)
