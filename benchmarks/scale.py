"""Whether a drain stays as quick with a deep backlog, and beside a transaction that never ends."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext

from benchmarks.contestants import SCALE, Entry, entered
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options
from benchmarks.processes import run
from benchmarks.report import Measured, Part
from benchmarks.throughput import drained

SHALLOW_DRAINS = 3


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    shallow, deep = options.jobs // 2, options.jobs * 10
    few = Measured(f"drain of {shallow:,} ready jobs, {server.name}", "jobs/s")
    many = Measured(
        f"drain of {deep:,} ready jobs beside {deep:,} future ones, {server.name}",
        "jobs/s",
        [Part(few, 0.7)],
    )
    held = Measured(f"the same beside an open snapshot, {server.name}", "jobs/s", [Part(many, 0.5)])
    entries = entered(SCALE, database=server.name, only=options.only)
    for entry in options.rounds_of(entries):
        for _ in range(SHALLOW_DRAINS):
            few.add(entry.name, drain(server, entry, ready=shallow))
        many.add(entry.name, drain(server, entry, ready=deep, future=deep))
        if server.name == "postgresql":
            rate = drain(server, entry, ready=deep, future=deep, beside=server.held_snapshot)
            held.add(entry.name, rate)
    yield few
    yield many
    if held.values:
        yield held


def drain(
    server: PostgreSQL | Sqlite,
    entry: Entry,
    *,
    ready: int,
    future: int = 0,
    beside: Callable[[str], AbstractContextManager[None]] = nullcontext,
) -> float:
    with server.fresh() as url:
        run(entry, "prepare", url=url)
        run(entry, "load-future", future, url=url)
        run(entry, "load", ready, url=url)
        server.settle(url)
        with beside(url):
            rate, _mib = drained(entry, ready, url=url)
        return rate
