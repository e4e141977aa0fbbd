"""How a session is made ready for its next user: one that was changed has none."""

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

READ_ONLY: Final = ""
"""There is no such code."""

# One statement for all: each costs as much again as the reading. "LIKE" tells of a pragma that
# can't be read.
LOOK = """
SELECT
    *, (SELECT count(*) FROM pragma_database_list), (SELECT count(*) FROM sqlite_temp_master),
    'a' LIKE 'A'
FROM
    pragma_foreign_keys, pragma_query_only, pragma_ignore_check_constraints, pragma_busy_timeout,
    pragma_synchronous, pragma_journal_mode, pragma_locking_mode, pragma_recursive_triggers,
    pragma_reverse_unordered_selects, pragma_read_uncommitted, pragma_writable_schema,
    pragma_trusted_schema, pragma_legacy_alter_table, pragma_cache_size, pragma_temp_store,
    pragma_secure_delete
"""


def parameters(process_name: str) -> dict[str, object]:
    """A file needs none."""
    return {}


def traits(session: Any) -> tuple[object, ...] | None:
    """What a user can change, which nothing resets; None if it is in the middle of something."""
    try:
        if session.in_transaction:
            return None
        driver = (session.isolation_level, session.row_factory, session.text_factory)
        cursor = session.cursor()
        cursor.row_factory = None
        return (*driver, *cursor.execute(LOOK).fetchone())
    except sqlite3.Error:
        return None


def wipe(session: Any) -> bool:
    """Nothing can be: what is as it was needs none."""
    return True


def is_alive(session: Any, *, has_rested: bool) -> bool:
    """It is but a file that is open."""
    return True


def furnish(session: Any, settings: Mapping[str, str]) -> bool:
    """A session has nothing to be told of the process that uses it."""
    return True


def ignore_notifications(session: Any) -> None:
    """There are none."""


def is_cut_off(sqlstate: str | None) -> bool:
    """There is no server that could go away."""
    return False


def refuses_writes(cursor: Any) -> bool:
    """There is no server that could."""
    return False
