"""What is known of the SQLite that this interpreter has."""

import sqlite3
from typing import Final, NamedTuple

Version = tuple[int, int, int]

MINIMUM: Final = (3, 35)
FAULTY_FROM: Final[Version] = (3, 7, 0)
MENDED: Final[tuple[Version, ...]] = ((3, 44, 6), (3, 50, 7), (3, 51, 3))
"""Each with what follows it in its series; the last with all that is newer."""


class Fault(NamedTuple):
    """In one sentence or two each: what it is, and what to do."""

    text: str
    remedy: str


def has_wal_reset_fault(version: Version) -> bool:
    if not FAULTY_FROM <= version < MENDED[-1]:
        return False
    return not any(version[:2] == mended[:2] and version >= mended for mended in MENDED)


def wal_reset_fault() -> Fault | None:
    """None if this SQLite is free of it. See "The WAL-Reset Bug" in SQLite's own page on WAL."""
    if not has_wal_reset_fault(sqlite3.sqlite_version_info[:3]):
        return None
    return Fault(
        f"SQLite {sqlite3.sqlite_version} has a fault in WAL mode: where several connections write "
        f"to one file, a commit can be lost or the file be corrupted. It is rare: two checkpoints "
        f"and a commit must meet in one moment.",
        "Use a Python whose SQLite is 3.51.3 or newer (of older series 3.50.7 or 3.44.6), or keep "
        "the jobs in PostgreSQL; else keep backups, and let no other program make checkpoints.",
    )
