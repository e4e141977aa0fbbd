"""What pytest finds by itself where forge_jobs is installed: it imports no model before Django."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import pytest

if TYPE_CHECKING:
    from forge_jobs.testing import FrozenClock

START: Final = datetime(2026, 1, 5, 12, tzinfo=UTC)
"""A Monday."""


@pytest.fixture
def forge_jobs() -> Any:
    """The helpers of `forge_jobs.testing`: `forge_jobs.drain()`, `forge_jobs.run(handler)`."""
    from forge_jobs import testing

    return testing


@pytest.fixture
def frozen_clock() -> Iterator[FrozenClock]:
    """Time stands at noon (UTC) of a Monday, until `frozen_clock.advance(hours=1)`."""
    from forge_jobs.testing import frozen_at

    with frozen_at(START) as clock:
        yield clock
