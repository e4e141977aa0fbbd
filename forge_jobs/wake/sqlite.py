"""Waking by watching the database's version, which moves with every other session's commit."""

from typing import Final

from forge_jobs import db
from forge_jobs.wake import local
from forge_jobs.wake.base import Listener

LOOK_SECONDS: Final = 0.004


class SQLiteListener(Listener):
    method = "data_version"

    def listen(self) -> None:
        connection = db.connection()
        connection.ensure_connection()
        look = connection.connection.execute
        seen = None
        with connection.wrap_database_errors:
            while not self.stopping.wait(LOOK_SECONDS):
                (version,) = look("PRAGMA data_version").fetchone()
                if version != seen:
                    seen = version
                    local.ring(local.ANY)
