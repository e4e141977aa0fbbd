"""A project's router that sends our tables elsewhere: reads to one database, writes to another."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connections
from pytest_django import Settings

READ, WRITTEN = "replica", "elsewhere"


class Astray:
    """Neither of the databases has our tables, nor lets a test connect."""

    def db_for_read(self, model: Any, **hints: Any) -> str | None:
        return READ if model._meta.app_label == "forge_jobs" else None

    def db_for_write(self, model: Any, **hints: Any) -> str | None:
        return WRITTEN if model._meta.app_label == "forge_jobs" else None


@contextmanager
def led_astray(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    declared = {
        alias: {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        for alias in (READ, WRITTEN)
    }
    usual = {"default": connections.settings["default"]}
    for alias, options in connections.configure_settings(usual | declared).items():
        if alias in declared:
            monkeypatch.setitem(connections.settings, alias, options)
    settings.DATABASE_ROUTERS = ["tests.astray.Astray"]
    try:
        yield
    finally:
        for alias in declared:
            if hasattr(connections._connections, alias):  # type: ignore[attr-defined] # Django's own
                connections[alias].close()
                del connections[alias]
