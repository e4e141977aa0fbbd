"""Bare SQL on SQLite, one job at a time or in batches, woken by `PRAGMA data_version`."""

import json
import sqlite3
import time
from collections.abc import Iterable
from functools import cached_property

from benchmarks.contestants.base import Contestant, database_url
from benchmarks.meter import started

LOOK_EVERY = 0.005
SCHEMA = """
CREATE TABLE bare_job (
    id INTEGER PRIMARY KEY, queue TEXT NOT NULL, kind TEXT NOT NULL, payload TEXT NOT NULL,
    priority INTEGER NOT NULL DEFAULT 0, state TEXT NOT NULL,
    run_at TEXT NOT NULL, enqueued_at TEXT NOT NULL, started_at TEXT, finished_at TEXT,
    attempt INTEGER NOT NULL DEFAULT 0, process INTEGER
);
CREATE INDEX bare_claim ON bare_job (queue, priority DESC, run_at, id) WHERE state = 'ready';
CREATE INDEX bare_running ON bare_job (process) WHERE state = 'running';
"""
INSERT = """
INSERT INTO bare_job (queue, kind, payload, state, run_at, enqueued_at)
VALUES ('default', 'noop', ?, ?, datetime('now', ?), datetime('now'))
"""
CLAIM = """
UPDATE bare_job
SET state = 'running', attempt = attempt + 1, process = 1, started_at = datetime('now')
WHERE id IN (
    SELECT id FROM bare_job WHERE queue = 'default' AND state = 'ready'
    ORDER BY priority DESC, run_at, id LIMIT ?
) RETURNING id, kind, payload
"""
FINALIZE = """
UPDATE bare_job SET state = 'succeeded', process = NULL, finished_at = datetime('now')
WHERE id IN (SELECT value FROM json_each(?))
"""
UNFINISHED = "SELECT EXISTS (SELECT 1 FROM bare_job WHERE state IN ('ready', 'running'))"


class BareSqlite(Contestant):
    """One thread, one connection, a commit a claim and a commit a finalize; more would wait."""

    def __init__(self, variant: str) -> None:
        self.batch = int(variant)
        self.seen = -1

    def prepare(self) -> None:
        self.connection.executescript(SCHEMA)

    def enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            self.connection.execute(INSERT, [json.dumps({"moment": moment}), "ready", "0 days"])

    def enqueue_many(self, count: int) -> None:
        self._insert([("{}", "ready", "0 days")] * count)

    def enqueue_future(self, count: int) -> None:
        self._insert([("{}", "scheduled", "1 day")] * count)

    def _insert(self, rows: list[tuple[str, str, str]]) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.executemany(INSERT, rows)
        self.connection.execute("COMMIT")

    def work(self) -> None:
        while True:
            if not self.run_batch():
                self.rest()

    def run_batch(self) -> int:
        jobs = self.connection.execute(CLAIM, [self.batch]).fetchall()
        for _id, _kind, payload in jobs:
            started(**json.loads(payload))
        if jobs:
            self.connection.execute(FINALIZE, [json.dumps([job[0] for job in jobs])])
        return len(jobs)

    def rest(self) -> None:
        while (version := self.data_version()) == self.seen:
            time.sleep(LOOK_EVERY)
        self.seen = version

    def data_version(self) -> int:
        return self.connection.execute("PRAGMA data_version").fetchone()[0]

    def unfinished(self) -> bool:
        return bool(connect().execute(UNFINISHED).fetchone()[0])

    @cached_property
    def connection(self) -> sqlite3.Connection:
        return connect()


def connect() -> sqlite3.Connection:
    connection = sqlite3.connect(database_url(), timeout=30, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = normal")
    return connection


contestant = BareSqlite
