"""Oban for Python as `oban start` runs it, with uvloop and orjson, and a limit of a hundred."""

import asyncio
from collections.abc import Iterable

import orjson
import psycopg
import uvloop
from oban import Oban, job
from oban.schema import install
from psycopg.types.json import set_json_dumps, set_json_loads

from benchmarks.contestants.base import Contestant, database_url
from benchmarks.meter import started

LIMIT = 100
UNFINISHED = "SELECT EXISTS (SELECT FROM oban_jobs WHERE state <> 'completed')"


@job(queue="default")
async def noop(moment: int = 0) -> None:
    started(moment)


class ObanContestant(Contestant):
    """What was tried: it rests 5 ms between its claims, so that a limit of eight is slower."""

    def __init__(self, _variant: str) -> None:
        set_json_dumps(orjson.dumps)
        set_json_loads(orjson.loads)
        self.runner = asyncio.Runner(loop_factory=uvloop.new_event_loop)
        self.pool = self.runner.run(Oban.create_pool(database_url()))

    def prepare(self) -> None:
        self.runner.run(install(self.pool))

    def enqueue_each(self, moments: Iterable[int]) -> None:
        self.runner.run(self._enqueue_each(moments))

    async def _enqueue_each(self, moments: Iterable[int]) -> None:
        oban = Oban(pool=self.pool)
        for moment in moments:
            await oban.enqueue(noop.new(moment))

    def enqueue_many(self, count: int) -> None:
        self.runner.run(self._enqueue_many(count))

    async def _enqueue_many(self, count: int) -> None:
        await Oban(pool=self.pool).enqueue_many(noop.new() for _ in range(count))

    def work(self) -> None:
        self.runner.run(self._work())

    async def _work(self) -> None:
        async with Oban(pool=self.pool, queues={"default": LIMIT}):
            await asyncio.Event().wait()

    def unfinished(self) -> bool:
        with psycopg.connect(database_url()) as connection:
            return connection.execute(UNFINISHED).fetchone()[0]


contestant = ObanContestant
