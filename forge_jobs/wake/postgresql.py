"""Waking by LISTEN and NOTIFY. A missed one costs a poll interval, nothing else."""

import secrets
import select
import time
from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

from forge_jobs import db
from forge_jobs.signals import wake_unheard
from forge_jobs.wake import local
from forge_jobs.wake.base import Listener

CHANNEL: Final = "forge_jobs"
PROBE: Final = "probe "
LOOK_UP_MILLISECONDS: Final = 100
PROBE_SECONDS: Final = 3.0
DEAF_SECONDS: Final = 300.0
NEVER: Final = float("inf")

NOTIFY: Final = "SELECT set_config('synchronous_commit', 'off', true), pg_notify(%s, %s)"


def notify(queue: str) -> None:
    """Wake other processes; in a transaction of its own, never in the caller's.

    Nobody minds when a crash loses it, so its commit need not wait for the disk.
    """
    with db.connection().cursor() as cursor:
        cursor.execute(NOTIFY, [CHANNEL, queue])


class PostgreSQLListener(Listener):
    """Makes sure that notifications arrive: behind a pooler that shares connections, none do."""

    method = "LISTEN/NOTIFY"

    def listen(self) -> None:
        connection = db.connection()
        with connection.cursor() as cursor:
            cursor.execute("LISTEN forge_jobs")
        local.ring(local.ANY)
        probe, unheard_at = _send_probe(connection), time.monotonic() + PROBE_SECONDS
        arrivals = select.poll()
        arrivals.register(connection.connection.fileno(), select.POLLIN)
        with connection.wrap_database_errors:
            while not self.stopping.is_set():
                if arrivals.poll(LOOK_UP_MILLISECONDS):
                    for note in connection.connection.notifies(timeout=0):
                        if note.payload == probe:
                            unheard_at = NEVER
                        elif not note.payload.startswith(PROBE):
                            local.ring(note.payload)
                if time.monotonic() > unheard_at:
                    return self._be_deaf(connection)

    def _be_deaf(self, connection: BaseDatabaseWrapper) -> None:
        """Leave it to polling for a while, and keep no connection for nothing."""
        if not self.is_deaf:
            self.is_deaf = True
            wake_unheard.send_robust(type(self))
        connection.close()
        self.stopping.wait(DEAF_SECONDS)


def _send_probe(connection: BaseDatabaseWrapper) -> str:
    """Notify from another session, as an enqueue would; returns what should be heard."""
    probe = f"{PROBE}{secrets.token_hex(8)}"
    other = connection.copy()
    try:
        with other.cursor() as cursor:
            cursor.execute(NOTIFY, [CHANNEL, probe])
    finally:
        other.close()
    return probe
