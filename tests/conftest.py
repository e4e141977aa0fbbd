"""What all tests share: the manual clock, throw-away handlers, and the registry's isolation."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from forge_jobs import clock
from forge_jobs.clock import ManualClock
from forge_jobs.handlers.registry import registry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if connections[DEFAULT_DB_ALIAS].vendor != "sqlite":
        for item in items:
            if "once" in item.keywords:
                item.add_marker(pytest.mark.skip("the same on every database"))


@pytest.fixture
def manual_clock() -> Iterator[ManualClock]:
    """The clock stands at NOON until the test advances it."""
    manual = ManualClock(NOON)
    with clock.installed(manual):
        yield manual


@pytest.fixture(autouse=True)
def _isolated_registry() -> Iterator[None]:
    """Handlers that a test declares are gone after it."""
    with registry.isolated():
        yield
