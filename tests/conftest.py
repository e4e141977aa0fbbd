"""What all tests share: the manual clock, throw-away handlers, and the registry's isolation."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from django.db import DEFAULT_DB_ALIAS, connections

from forge_jobs import clock
from forge_jobs.clock import ManualClock
from forge_jobs.handlers.registry import registry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--on-demand", action="store_true", help="run what takes an hour, and only it")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    is_wanted = bool(config.getoption("--on-demand"))
    left_out = [item for item in items if ("on_demand" in item.keywords) is not is_wanted]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]
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
