"""Reading moments that Python has no name for, such as the year 33715 or infinity.

None is stored by us. But one that somebody's SQL, or a broken clock, has left in a row would end
every query that meets the row: no process could start, and no page could show what to mend.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from psycopg import DataError, adapters
from psycopg.pq import Format

FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)
TIMESTAMPTZ: Final = adapters.types["timestamptz"].oid


def read_any_moment(session: Any) -> None:
    """Let a driver's connection give the nearest that can be told in any zone."""
    loader = session.adapters.get_loader(TIMESTAMPTZ, Format.TEXT)
    if loader and not hasattr(loader, "nearest"):
        session.adapters.register_loader(TIMESTAMPTZ, _tolerant(loader))


def moment_from(text: str) -> datetime:
    """The same where the server was asked past the driver, and gave a text."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        return _nearest(text)


def _nearest(text: str) -> datetime:
    return FIRST if text.startswith("-") or text.endswith("BC") else LAST


@cache
def _tolerant(loader: Any) -> Any:
    class NearestMomentLoader(loader):  # type: ignore[misc] # which one depends on the zone
        nearest = True

        def load(self, data: Any) -> datetime:
            try:
                moment: datetime = super().load(data)
            except DataError:
                return _nearest(bytes(data).decode())
            return moment

    return NearestMomentLoader
