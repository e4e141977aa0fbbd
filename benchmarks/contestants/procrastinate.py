"""Procrastinate with eight coroutines at a time, a psycopg pool for all of them, and uvloop."""

import asyncio
from collections.abc import Iterable

import psycopg
import uvloop
from procrastinate import App, PsycopgConnector
from psycopg_pool import AsyncConnectionPool

from benchmarks.contestants.base import THREADS, Contestant, database_url
from benchmarks.meter import started

UNFINISHED = """
SELECT EXISTS (SELECT FROM procrastinate_jobs WHERE status IN ('todo', 'doing'))
"""
app = App(connector=PsycopgConnector())


@app.task(name="noop")
async def noop(moment: int = 0) -> None:
    started(moment)


class Procrastinate(Contestant):
    """What was tried: a pool of one's own leaves out the check of a connection at each use, and
    deleting what succeeded is quicker than updating it; more coroutines brought nothing.
    """

    def __init__(self, _variant: str) -> None:
        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.runner.run(self._open())

    async def _open(self) -> None:
        pool = AsyncConnectionPool(database_url(), min_size=4, max_size=THREADS + 2, open=False)
        await pool.open(wait=True)
        await app.open_async(pool)

    def prepare(self) -> None:
        self.runner.run(app.schema_manager.apply_schema_async())

    def enqueue_each(self, moments: Iterable[int]) -> None:
        self.runner.run(self._enqueue_each(moments))

    async def _enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            await noop.defer_async(moment=moment)

    def enqueue_many(self, count: int) -> None:
        self.runner.run(noop.batch_defer_async(*[{}] * count))

    def work(self) -> None:
        self.runner.run(app.run_worker_async(concurrency=THREADS, delete_jobs="successful"))

    def unfinished(self) -> bool:
        with psycopg.connect(database_url()) as connection:
            return connection.execute(UNFINISHED).fetchone()[0]


contestant = Procrastinate
