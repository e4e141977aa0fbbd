"""Which locks are held for so long that jobs do not move, and by whom."""

from typing import Final

from forge_jobs import db
from forge_jobs.db.observed import HeldLock

LONG_SECONDS: Final = 10.0
"""Ours are held for milliseconds."""

WRITE_LOCKED_SECONDS: Final = 3.0


def held_locks() -> list[HeldLock]:
    """Those that are held for long, longest first; a session that holds several counts once."""
    with db.connection().cursor() as cursor:
        found: list[HeldLock] = db.twin().held_locks(cursor, seconds=LONG_SECONDS)
    return list({lock.pid: lock for lock in reversed(found)}.values())[::-1]


def lock_on(queue: str) -> HeldLock | None:
    """The lock that is held for long on a queue's row, if any."""
    with db.connection().cursor() as cursor:
        found: list[HeldLock] = db.twin().held_locks(cursor, seconds=LONG_SECONDS)
    return next((lock for lock in found if lock.queue == queue), None)


def write_lock() -> str:
    """A sentence about SQLite's write lock, if it is not to be had within seconds, else empty."""
    with db.connection().cursor() as cursor:
        if not db.twin().is_write_locked(cursor, seconds=WRITE_LOCKED_SECONDS):
            return ""
    return (
        f"Somebody has kept all others from writing to the SQLite database for "
        f"{WRITE_LOCKED_SECONDS:.0f} s: jobs can be neither claimed nor finished. Look for a "
        f"transaction that is long, or a program that hangs in one."
    )
