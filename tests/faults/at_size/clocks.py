"""A wall clock that jumps for the processes that are started with it, by libfaketime."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path


class WallClock:
    """Right at first; the monotonic clock goes on as it is."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._ahead = timedelta(0)
        self.jump(timedelta(0))
        self.environment = {
            "LD_PRELOAD": str(next(_libraries(), "")),
            "FAKETIME_TIMESTAMP_FILE": str(file),
            "FAKETIME_CACHE_DURATION": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }

    def jump(self, by: timedelta) -> None:
        """Forward, or back; they notice within a second."""
        self._ahead += by
        new = self._file.with_suffix(".new")
        new.write_text(f"{self._ahead.total_seconds():+.0f}\n")
        new.rename(self._file)


def is_missing() -> str:
    """Why no clock can jump here, and what helps; empty if one can."""
    return "" if any(_libraries()) else "libfaketime is missing: apt-get install faketime"


def _libraries() -> Iterator[Path]:
    return Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1")
