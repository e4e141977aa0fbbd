"""What code declares of a schedule, to JSON and back: processes of other code read it, too."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

MOMENTS: Final = frozenset({"starts_at", "ends_at"})


def as_json(columns: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value
        for name, value in columns.items()
    }


def as_columns(seed: Mapping[str, Any], *, known: Collection[str]) -> dict[str, Any]:
    """Without those that only newer code knows."""
    return {
        name: datetime.fromisoformat(value) if value and name in MOMENTS else value
        for name, value in seed.items()
        if name in known
    }
