"""Whether somebody keeps all others from writing."""

from typing import Any

from django.db import OperationalError

from forge_jobs.db.observed import HeldLock


def held_locks(cursor: Any, *, seconds: float) -> list[HeldLock]:
    """SQLite tells of no one that holds a lock."""
    return []


def is_write_locked(cursor: Any, *, seconds: float) -> bool:
    """Whether the file can't be written by others for so long; waits for that."""
    if cursor.db.in_atomic_block:
        return False
    cursor.execute("PRAGMA busy_timeout")
    (usual,) = cursor.fetchone()
    cursor.execute(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    try:
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("ROLLBACK")
    except OperationalError:
        return True
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {int(usual)}")
    return False
