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
UNLISTEN_SECONDS: Final = 0.5
UNLISTEN_TRIES: Final = 100
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
        other = connection.copy()
        try:
            if _is_shared(connection, other):
                return self._be_deaf(connection)
            backend = _backend(connection, and_then="LISTEN forge_jobs")
            probe = _send_probe(other)
        finally:
            other.close()
        local.ring(local.ANY)
        if not self._hear(connection, probe):
            self._unlisten(connection, backend)
            self._be_deaf(connection)

    def _hear(self, connection: BaseDatabaseWrapper, probe: str) -> bool:
        """Ring bells until `stopping`; False as soon as it is clear that nothing arrives."""
        unheard_at = time.monotonic() + PROBE_SECONDS
        arrivals = select.poll()
        arrivals.register(connection.connection.fileno(), select.POLLIN)
        with connection.wrap_database_errors:
            while not self.stopping.is_set() and time.monotonic() < unheard_at:
                if arrivals.poll(LOOK_UP_MILLISECONDS):
                    for note in connection.connection.notifies(timeout=0):
                        if note.payload == probe:
                            unheard_at = NEVER
                        elif not note.payload.startswith(PROBE):
                            local.ring(note.payload)
        return unheard_at == NEVER

    def _unlisten(self, connection: BaseDatabaseWrapper, backend: int) -> None:
        """Whoever the pooler lends that session to gets what we listen for: find it, and end that.

        It may be lent to others for a while.
        """
        for _ in range(UNLISTEN_TRIES):
            found = _backend(connection, and_then="UNLISTEN forge_jobs") == backend
            if found or self.stopping.wait(UNLISTEN_SECONDS):
                return

    def _be_deaf(self, connection: BaseDatabaseWrapper) -> None:
        """Leave it to polling for a while, and keep no connection for nothing."""
        if self.stopping.is_set():
            return
        if not self.is_deaf:
            self.is_deaf = True
            wake_unheard.send_robust(type(self))
        connection.close()
        self.stopping.wait(DEAF_SECONDS)


def _is_shared(connection: BaseDatabaseWrapper, other: BaseDatabaseWrapper) -> bool:
    """Whether a pooler lends one session now to this connection, now to that."""
    backend = _backend(connection)
    told: int = connection.connection.info.backend_pid
    return backend != told and _backend(other) == backend


def _backend(connection: BaseDatabaseWrapper, *, and_then: str = "") -> int:
    """The server's process that answers, and does something else in the same breath.

    What the driver was told of it may be a pooler's invention.
    """
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT pg_backend_pid(); {and_then}")
        return int(cursor.fetchone()[0])


def _send_probe(other: BaseDatabaseWrapper) -> str:
    """Notify from another session, as an enqueue would; returns what should be heard."""
    probe = f"{PROBE}{secrets.token_hex(8)}"
    with other.cursor() as cursor:
        cursor.execute(NOTIFY, [CHANNEL, probe])
    return probe
