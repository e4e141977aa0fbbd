"""What 2,000 schedules cost a leader: a pass when nothing is due, and one when all of them are."""

from collections.abc import Iterator

from benchmarks.contestants import SCHEDULES, entered
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options
from benchmarks.processes import run
from benchmarks.report import Limit, Measured

COUNT = 2_000


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    what = f"over {COUNT:,} schedules, {server.name}"
    idle = Measured(f"pass, nothing due, {what}", "ms", [Limit(200)])
    busy = Measured(f"passes until all have fired, {what}", "ms")
    for entry in options.rounds_of(entered(SCHEDULES, database=server.name, only=options.only)):
        with server.fresh() as url:
            run(entry, "prepare", url=url)
            run(entry, "load-schedules", COUNT, url=url)
            server.settle(url)
            idle.add(entry.name, 1_000 * run(entry, "pass", url=url))
            busy.add(entry.name, 1_000 * run(entry, "fire", url=url))
    yield from (idle, busy)
