"""Waking by watching the database's files, and asking SQLite when they seem to have changed."""

import os
import time
from typing import Final

from forge_jobs import db
from forge_jobs.wake import local
from forge_jobs.wake.base import Listener

GLANCE_SECONDS: Final = 0.0025
RARE_GLANCE_SECONDS: Final = 0.008
GLANCES_ON_ALERT: Final = 8
GLANCES_A_LOOK: Final = 25
GLANCES_UNTIL_QUIET: Final = 400
CHANGES_UNTIL_BUSY: Final = 8

Glance = tuple[int, int]


class SQLiteListener(Listener):
    """A glance at a file's time and size costs a tenth of a look at `PRAGMA data_version`.

    But it can mislead: the file is written before the commit is complete, and its time moves in
    ticks of milliseconds. So after a change the next few glances are each followed by a look, and
    without any change there is a look every `GLANCES_A_LOOK`. It glances less often after a second
    without a change, and while each look finds one: somebody writes all the time.
    """

    method = "a watch on the database file"

    def listen(self) -> None:
        connection = db.connection()
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA database_list")
            path = next(row[2] for row in cursor.fetchall() if row[1] == "main")
        ask = connection.connection.execute
        seen, version, unchanged, changed = (0, 0), -1, 0, 0
        with connection.wrap_database_errors:
            while not self.stopping.is_set():
                unchanged += 1
                if (glanced := _glance(path)) != seen:
                    seen, unchanged = glanced, 0
                if unchanged < GLANCES_ON_ALERT or unchanged % GLANCES_A_LOOK == 0:
                    (looked,) = ask("PRAGMA data_version").fetchone()
                    changed = changed + 1 if looked != version else 0
                    if changed:
                        version = looked
                        local.ring(local.ANY)
                may_rest = unchanged > GLANCES_UNTIL_QUIET or changed > CHANGES_UNTIL_BUSY
                # An Event to wait on would cost more than the glance.
                time.sleep(RARE_GLANCE_SECONDS if may_rest else GLANCE_SECONDS)


def _glance(path: str) -> Glance:
    for file in (f"{path}-wal", path):
        try:
            found = os.stat(file)
        except OSError:
            continue
        return found.st_mtime_ns, found.st_size
    return 0, 0
