"""Waking by LISTEN and NOTIFY. A missed one costs a poll interval, nothing else."""

import select
from typing import Final

from forge_jobs import db
from forge_jobs.wake import local
from forge_jobs.wake.base import Listener

CHANNEL: Final = "forge_jobs"
LOOK_UP_MILLISECONDS: Final = 100

NOTIFY: Final = "SELECT set_config('synchronous_commit', 'off', true), pg_notify(%s, %s)"


def notify(queue: str) -> None:
    """Wake other processes; in a transaction of its own, never in the caller's.

    Nobody minds when a crash loses it, so its commit need not wait for the disk.
    """
    with db.connection().cursor() as cursor:
        cursor.execute(NOTIFY, [CHANNEL, queue])


class PostgreSQLListener(Listener):
    method = "LISTEN/NOTIFY"

    def listen(self) -> None:
        connection = db.connection()
        with connection.cursor() as cursor:
            cursor.execute("LISTEN forge_jobs")
        local.ring(local.ANY)
        arrivals = select.poll()
        arrivals.register(connection.connection.fileno(), select.POLLIN)
        with connection.wrap_database_errors:
            while not self.stopping.is_set():
                if arrivals.poll(LOOK_UP_MILLISECONDS):
                    for note in connection.connection.notifies(timeout=0):
                        local.ring(note.payload)
