"""Waking by LISTEN and NOTIFY. A missed one costs a poll interval, nothing else."""

import secrets
import time
from collections.abc import Iterator
from typing import Final, NamedTuple, Self

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg.pq.abc import PGconn

from forge_jobs import db
from forge_jobs.db.postgresql.asking import asked
from forge_jobs.db.postgresql.pipeline import Question
from forge_jobs.signals import wake_unheard
from forge_jobs.wake import local
from forge_jobs.wake.base import Listener

PROBE: Final = "probe "
NOTHING: Final = f"{PROBE}not sent yet"
AGAIN: Final = "again "
AGAIN_SECONDS: Final = 0.005
BURST_SECONDS: Final = 2 * AGAIN_SECONDS
FIRST_SECONDS: Final = 1.0
"""Who lives shorter opens no session to learn whether it hears anything."""

PROBE_SECONDS: Final = 3.0
DEAF_SECONDS: Final = 300.0
UNLISTEN_SECONDS: Final = 0.5
UNLISTEN_TRIES: Final = 100
NEVER: Final = float("inf")

NOTIFY: Final = """
SELECT set_config('synchronous_commit', 'off', true), pg_notify('forge_jobs', %s)
"""

NOTIFY_TWICE: Final = """
SELECT
    set_config('synchronous_commit', 'off', true),
    pg_notify('forge_jobs', %s), pg_notify('forge_jobs', %s)
"""

# As the server keeps it, to be asked in the same message as the INSERT of a job.
NOTIFY_IF_STORED: Final = """
SELECT
    set_config('synchronous_commit', 'off', true), set_config('forge_jobs.is_stored', '', false),
    pg_notify('forge_jobs', $1)
WHERE current_setting('forge_jobs.is_stored', true) = 'yes'
"""

NOTIFY_TWICE_IF_STORED: Final = """
SELECT
    set_config('synchronous_commit', 'off', true), set_config('forge_jobs.is_stored', '', false),
    pg_notify('forge_jobs', $1), pg_notify('forge_jobs', $2)
WHERE current_setting('forge_jobs.is_stored', true) = 'yes'
"""

KEPT: Final = {
    1: ("forge_jobs_notify", NOTIFY_IF_STORED),
    2: ("forge_jobs_notify_twice", NOTIFY_TWICE_IF_STORED),
}


class Sent(NamedTuple):
    """A notification of this process: before which moment it left, and what it asks for."""

    at: float
    asks_for_another_look: bool


_sent: Final[dict[str, Sent]] = {}


def notify(queue: str) -> None:
    """Wake other processes; in a transaction of its own, never in the caller's.

    Nobody minds when a crash loses it, so its commit need not wait for the disk.

    Where many are sent, one asks for a look at once and for another `AGAIN_SECONDS` later, and
    those until then are left out. None can be the last and be lost: whoever heard that one, heard
    it after it left, and so looks again after all that is left out was committed.
    """
    connection = db.connection()
    if connection.in_atomic_block:  # it leaves at the commit, if there is one
        return _ask(connection, NOTIFY, queue)
    if news := News.of(queue):
        _ask(connection, news.statement, *news.payloads)
        news.are_sent()


class News:
    """What is to be sent of a queue now."""

    def __init__(self, queue: str, now: float, *payloads: str) -> None:
        self.payloads = payloads
        self._queue = queue
        self._sent = Sent(now, len(payloads) > 1)

    @classmethod
    def of(cls, queue: str) -> Self | None:
        """None if that can be left out."""
        now, last = time.monotonic(), _sent.get(queue)
        since = now - last.at if last else BURST_SECONDS
        if last and last.asks_for_another_look and since < AGAIN_SECONDS:
            return None
        if since < BURST_SECONDS:  # the plain one as well, for processes of older code
            return cls(queue, now, queue, f"{AGAIN}{queue}")
        return cls(queue, now, queue)

    @property
    def statement(self) -> str:
        return NOTIFY_TWICE if len(self.payloads) > 1 else NOTIFY

    def question(self) -> Question:
        """What does so if the statement before has stored a job."""
        name, statement = KEPT[len(self.payloads)]
        return Question(name, statement, self.payloads, self.statement, self.payloads)

    def are_sent(self) -> None:
        _sent[self._queue] = self._sent


def _ask(connection: BaseDatabaseWrapper, statement: str, *payloads: str) -> None:
    if asked(connection, statement, payloads):
        return
    with connection.cursor() as cursor:
        cursor.execute(statement, payloads)


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
            local.ring(local.ANY)
            if self._hear(connection, other):
                return
        finally:
            self.hears = False
            other.close()
        self._unlisten(connection, backend)
        self._be_deaf(connection)

    def _hear(self, connection: BaseDatabaseWrapper, other: BaseDatabaseWrapper) -> bool:
        """Ring bells until `stopping`; False as soon as it is clear that nothing arrives."""
        probe, probe_at = NOTHING, time.monotonic() + FIRST_SECONDS
        unheard_at = probe_at + PROBE_SECONDS
        session, encores = connection.connection, Encores()
        with self.arrivals() as arrivals, connection.wrap_database_errors:
            arrivals.expect_at(session.fileno())
            while not self.stopping.is_set() and time.monotonic() < unheard_at:
                due_at = min(unheard_at, probe_at)
                arrivals.wait(min(due_at - time.monotonic(), encores.rest()))
                if time.monotonic() >= probe_at:
                    probe, probe_at = _send_probe(other), NEVER
                for payload in _payloads(session.pgconn):
                    if payload == probe:
                        unheard_at, self.hears = NEVER, True
                    elif payload.startswith(AGAIN):
                        encores.ask(payload.removeprefix(AGAIN))
                    elif not payload.startswith(PROBE):
                        local.ring(payload)
                encores.play()
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


class Encores:
    """The queues that somebody wants to be rung for once more, and when."""

    def __init__(self) -> None:
        self._due: dict[str, float] = {}

    def ask(self, queue: str) -> None:
        """What this puts off was told by the notification that came with it."""
        self._due[queue] = time.monotonic() + AGAIN_SECONDS

    def rest(self) -> float:
        """For how many seconds there will be none."""
        return min(self._due.values(), default=NEVER) - time.monotonic()

    def play(self) -> None:
        now = time.monotonic()
        for queue in [queue for queue, due_at in self._due.items() if due_at <= now]:
            del self._due[queue]
            local.ring(queue)


def _payloads(session: PGconn) -> Iterator[str]:
    """Of what has arrived; the driver's own loop is made to wait, and takes longer for that."""
    session.consume_input()
    while note := session.notifies():
        yield note.extra.decode()


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
    _ask(other, NOTIFY, probe)
    other.close()
    return probe
