"""How a session is made ready for its next user: one that was changed has none."""

import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper

READ_ONLY: Final = ""
"""There is no such code."""

LIMITS: Final = {"cache_size": "-512"}
"""Of our own threads' sessions: KiB of pages that each may keep. Whoever else commits makes them
void, and a memory of 2 MiB for each, which is the default, is not given back."""

CLAIM_LIMITS: Final = {**LIMITS, "wal_autocheckpoint": "4"}
"""Of the session that claims: how many times as late as others it makes a checkpoint in the middle
of a commit. A job would have to wait for that and for the disk, and the commit of its outcome has
nobody who waits."""

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


DATA = ("SELE", "INSE", "UPDA", "DELE", "REPL", "WITH", "VALU")
TRANSACTIONS = ("BEGI", "COMM", "ROLL", "SAVE", "RELE")
HARMLESS: Final = frozenset([*DATA, *TRANSACTIONS])
"""How statements begin that leave a session as it is, but for what `in_transaction` tells.

Pragmas that are only explained have been carried out by then.
"""


class Watching:
    """A cursor that says when it is given any other statement."""

    connection: "Watched"

    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql[:4] not in HARMLESS:
            self._watch(sql)
        return super().execute(sql, *parameters)  # type: ignore[misc] # of the other base

    def executemany(self, sql: str, *parameters: Any) -> Any:
        self._watch(sql)
        return super().executemany(sql, *parameters)  # type: ignore[misc] # of the other base

    def executescript(self, script: str) -> Any:
        self.connection.settings = None
        return super().executescript(script)  # type: ignore[misc] # of the other base

    def _watch(self, sql: str) -> None:
        if sql.lstrip()[:4].upper() not in HARMLESS:
            self.connection.settings = None


@cache
def watching(factory: Any) -> type[Any]:
    return type(f"Watching{factory.__name__}", (Watching, factory), {})


class Watched(sqlite3.Connection):
    """Knows its settings as long as nothing has been executed that may change them.

    To ask for them after each job would cost a tenth of a job that reads and writes a row, and
    more where other threads wait for the interpreter.
    """

    settings: tuple[object, ...] | None = None

    def cursor(self, factory: Any = sqlite3.Cursor) -> Any:
        if not isinstance(factory, type):  # nobody knows what that makes
            self.settings = None
            return super().cursor(factory)
        return super().cursor(watching(factory))

    def execute(self, *arguments: Any) -> Any:
        return self.cursor().execute(*arguments)

    def executemany(self, *arguments: Any) -> Any:
        return self.cursor().executemany(*arguments)

    def executescript(self, *arguments: Any) -> Any:
        return self.cursor().executescript(*arguments)


def beginning_late(connection: BaseDatabaseWrapper) -> AbstractContextManager[object]:
    """Around what is asked in a block of `atomic()`: to begin costs nothing here."""
    return nullcontext()


def parameters(process_name: str) -> dict[str, object]:
    """A file needs none; its sessions are to know whether they were changed."""
    return {"factory": Watched}


def traits(session: Any) -> tuple[object, ...] | None:
    """What a user can change, which nothing resets; None if it is in the middle of something."""
    try:
        if session.in_transaction:
            return None
        driver = (session.isolation_level, session.row_factory, session.text_factory)
        return (*driver, _settings(session))
    except sqlite3.Error:
        return None


def _settings(session: Any) -> tuple[object, ...]:
    known: tuple[object, ...] | None = getattr(session, "settings", None)
    if known:
        return known
    cursor = session.cursor()
    cursor.row_factory = None
    found: tuple[object, ...] = cursor.execute(LOOK).fetchone()
    if isinstance(session, Watched):
        session.settings = found
    return found


def furnish(session: Any, settings: Mapping[str, str]) -> Mapping[str, str]:
    """Keep it to its limits; there is nothing that it could be told of the process that uses it."""
    if size := settings.get("cache_size"):
        session.execute(f"PRAGMA cache_size = {int(size)}")
    if factor := settings.get("wal_autocheckpoint"):
        (pages,) = session.execute("PRAGMA wal_autocheckpoint").fetchone()  # 0: others make them
        session.execute(f"PRAGMA wal_autocheckpoint = {int(factor) * pages}")
    return settings


def way_back(session: Any, settings: Mapping[str, str]) -> bytes:
    """There is none: what was changed has to be closed, and what is as it was needs none."""
    return b""


def wipe(session: Any, back: bytes) -> bool:
    """Nothing has to be."""
    return True


def is_alive(session: Any, *, has_rested: bool) -> bool:
    """It is but a file that is open."""
    return True


def ignore_notifications(session: Any) -> None:
    """There are none."""


def is_cut_off(sqlstate: str | None) -> bool:
    """There is no server that could go away."""
    return False


def refuses_writes(cursor: Any) -> bool:
    """There is no server that could."""
    return False
