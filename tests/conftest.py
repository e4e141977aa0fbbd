"""What all tests share: the manual clock, throw-away handlers, and the registry's isolation."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from forge_jobs import clock
from forge_jobs.clock import ManualClock
from forge_jobs.handlers.registry import registry

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


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
