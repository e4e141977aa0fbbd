"""pgqueuer as its documentation tunes it: asyncpg on one connection, uvloop, `pgq autovac`.

It stays on its default durability, "durable": with "balanced" or "volatile" the record of what ran
is in unlogged tables, which a crash empties.
"""

import asyncio
import json
from collections.abc import Iterable

import uvloop
from pgqueuer import PgQueuer
from pgqueuer.models import Job
from pgqueuer.queries import Queries

from benchmarks.contestants.base import Contestant, database_url
from benchmarks.meter import started

BATCH = 100
UNFINISHED = "SELECT EXISTS (SELECT FROM pgqueuer) AS unfinished"


class PgQueuerContestant(Contestant):
    """Its jobs are coroutines of one event loop, a whole batch at a time."""

    def __init__(self, variant: str) -> None:
        self.variant = variant
        self.loop = uvloop.new_event_loop()
        self.queries = self.loop.run_until_complete(connect(variant))

    def prepare(self) -> None:
        self.loop.run_until_complete(self.queries.install())
        self.loop.run_until_complete(self.queries.optimize_autovacuum())

    def enqueue_each(self, moments: Iterable[int]) -> None:
        self.loop.run_until_complete(self._enqueue_each(moments))

    async def _enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            await self.queries.enqueue("noop", json.dumps({"moment": moment}).encode())

    def enqueue_many(self, count: int) -> None:
        jobs = ["noop"] * count, [b"{}"] * count, [0] * count
        self.loop.run_until_complete(self.queries.enqueue(*jobs))

    def work(self) -> None:
        pgqueuer = PgQueuer(self.queries.driver)
        pgqueuer.entrypoint("noop")(noop)
        self.loop.run_until_complete(pgqueuer.run(batch_size=BATCH))

    def unfinished(self) -> bool:
        return asyncio.run(unfinished(self.variant))


async def noop(job: Job) -> None:
    started(**json.loads(job.payload))


async def unfinished(variant: str) -> bool:
    (row,) = await (await connect(variant)).driver.fetch(UNFINISHED)
    return bool(row["unfinished"])


async def connect(variant: str) -> Queries:
    if variant == "asyncpg":
        import asyncpg

        return Queries.from_asyncpg_connection(await asyncpg.connect(database_url()))
    import psycopg

    connection = await psycopg.AsyncConnection.connect(database_url(), autocommit=True)
    return Queries.from_psycopg_connection(connection)


contestant = PgQueuerContestant
