"""huey on SQLite with WAL, synchronous=NORMAL as the others have it, and without results.

It deletes a job when it takes it, so a crash loses what was running. Its threads share one
connection behind a lock; a single thread does not wait for that lock and is quicker.
"""

import sqlite3
from collections.abc import Iterable

from huey import SqliteHuey

from benchmarks.contestants.base import Contestant, database_url
from benchmarks.meter import started


class NormalConnection(sqlite3.Connection):
    """huey's own choice is between FULL and OFF."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self.execute("PRAGMA synchronous = normal")


huey = SqliteHuey(
    filename=database_url(), factory=NormalConnection, results=False, create_tables=False
)


@huey.task(name="noop")
def noop(moment: int = 0) -> None:
    started(moment)


class HueySqlite(Contestant):
    def __init__(self, variant: str) -> None:
        self.threads = int(variant)

    def prepare(self) -> None:
        huey.storage.initialize_schema()

    def enqueue_each(self, moments: Iterable[int]) -> None:
        for moment in moments:
            noop(moment)

    def enqueue_many(self, count: int) -> None:
        for _ in range(count):
            noop()

    def work(self) -> None:
        huey.create_consumer(workers=self.threads, periodic=False).run()

    def unfinished(self) -> bool:
        return bool(huey.storage.queue_size())


contestant = HueySqlite
