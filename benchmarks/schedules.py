"""What schedules cost a leader: their first plans, and passes when none is due or all of them."""

from collections.abc import Iterator

from benchmarks.contestants import SCHEDULES, Entry, entered
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options
from benchmarks.processes import run
from benchmarks.report import Limit, Measured

NEW = 5_000
DUE = 2_000
A_SECOND = 1_500
"""So many fires are promised."""


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    first = Measured(f"first plans of {NEW:,} schedules, {server.name}", "ms", [Limit(5_000)])
    what = f"over {DUE:,} schedules, {server.name}"
    idle = Measured(f"pass, nothing due, {what}", "ms", [Limit(200)])
    limit = Limit(1_000 * DUE / A_SECOND)
    busy = Measured(f"passes until all have fired, {what}", "ms", [limit])
    for entry in options.rounds_of(entered(SCHEDULES, database=server.name, only=options.only)):
        with server.fresh() as url:
            first.add(entry.name, planned(entry, "load-yearly-schedules", NEW, url=url))
        with server.fresh() as url:
            planned(entry, "load-hourly-schedules", DUE, url=url)
            server.settle(url)
            idle.add(entry.name, 1_000 * run(entry, "pass", url=url))
            busy.add(entry.name, 1_000 * run(entry, "fire", url=url))
    yield from (first, idle, busy)


def planned(entry: Entry, load: str, count: int, *, url: str) -> float:
    """Store schedules and have them planned; returns the milliseconds that the plans took."""
    run(entry, "prepare", url=url)
    run(entry, load, count, url=url)
    return 1_000 * run(entry, "plan", url=url)
