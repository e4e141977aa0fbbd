"""Bare SQL on PostgreSQL in batches of 100: about the most that one process can do durably."""

import json
from collections.abc import Iterable
from functools import cached_property

import psycopg

from benchmarks.contestants.base import Contestant, database_url
from benchmarks.meter import started

BATCH = 100
SCHEMA = """
CREATE TABLE bare_job (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    queue text NOT NULL, kind text NOT NULL, payload jsonb NOT NULL,
    priority int NOT NULL DEFAULT 0, state text NOT NULL,
    run_at timestamptz NOT NULL, enqueued_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz, finished_at timestamptz,
    attempt int NOT NULL DEFAULT 0, process bigint
);
CREATE INDEX ON bare_job (queue, priority DESC, run_at, id) WHERE state = 'ready';
CREATE INDEX ON bare_job (process) WHERE state = 'running';
"""
INSERT = """
INSERT INTO bare_job (queue, kind, payload, state, run_at)
VALUES ('default', 'noop', %s::jsonb, 'ready', now())
"""
INSERT_MANY = """
INSERT INTO bare_job (queue, kind, payload, state, run_at)
SELECT 'default', 'noop', payload, %s, now() + %s::interval FROM unnest(%s::jsonb[]) AS payload
"""
CLAIM = """
WITH next AS MATERIALIZED (
    SELECT id FROM bare_job WHERE queue = 'default' AND state = 'ready'
    ORDER BY priority DESC, run_at, id LIMIT %s FOR UPDATE SKIP LOCKED
)
UPDATE bare_job AS job SET state = 'running', attempt = attempt + 1, process = 1, started_at = now()
FROM next WHERE job.id = next.id RETURNING job.id, job.kind, job.payload
"""
FINALIZE = """
UPDATE bare_job SET state = 'succeeded', process = NULL, finished_at = now() WHERE id = ANY(%s)
"""
UNFINISHED = "SELECT EXISTS (SELECT FROM bare_job WHERE state IN ('ready', 'running'))"


class BarePsycopg(Contestant):
    """One thread, one connection, a commit a claim and a commit a finalize; more would wait."""

    def __init__(self, variant: str) -> None:
        self.notifies = variant == "notify"

    def prepare(self) -> None:
        self.connection.execute(SCHEMA)

    def enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            self.connection.execute(INSERT, [json.dumps({"moment": moment})])
            if self.notifies:
                self.connection.execute("NOTIFY bare_job")

    def enqueue_many(self, count: int) -> None:
        self.connection.execute(INSERT_MANY, ["ready", "0", ["{}"] * count])

    def enqueue_future(self, count: int) -> None:
        self.connection.execute(INSERT_MANY, ["scheduled", "1 day", ["{}"] * count])

    def work(self) -> None:
        self.connection.execute("LISTEN bare_job")
        while True:
            if not self.run_batch():
                self.rest()

    def run_batch(self) -> int:
        jobs = self.connection.execute(CLAIM, [BATCH]).fetchall()
        for _id, _kind, payload in jobs:
            started(**payload)
        if jobs:
            self.connection.execute(FINALIZE, [[job[0] for job in jobs]])
        return len(jobs)

    def rest(self) -> None:
        for _notify in self.connection.notifies(timeout=1, stop_after=1):
            pass

    def unfinished(self) -> bool:
        with psycopg.connect(database_url()) as connection:
            return connection.execute(UNFINISHED).fetchone()[0]

    @cached_property
    def connection(self) -> psycopg.Connection:
        return psycopg.connect(database_url(), autocommit=True, prepare_threshold=1)


contestant = BarePsycopg
