"""What more than one of something gains or costs: processes, processes that retire, threads."""

from collections.abc import Iterator

from benchmarks.contestants import Entry, entered
from benchmarks.control import perform
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.processes import run
from benchmarks.report import OURS, Measured, Ratio

DRAINED = 50_000
RETIRING_AFTER = 5_000
ENQUEUED = 2_000
BARE = "bare_psycopg"


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    name = server.name
    two = Measured(f"drain by 2 processes, {name}", "jobs/s", [Ratio(BARE, 0.68)])
    retiring = Measured(
        f"drain by 2 processes that retire after {RETIRING_AFTER:,} jobs, {name}",
        "jobs/s",
        [Ratio("that_stay", 0.9)],
    )
    threads = Measured(f"8 threads that enqueue, {name}", "jobs/s", [Ratio("one_thread", 1.8)])
    if isinstance(server, Sqlite):
        threads.targets = ()  # one at a time writes
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        plain = perform(server, "drain", DRAINED, program="several_run")
        two.add(OURS, plain)
        retiring.add(OURS, perform(server, "drain", DRAINED, RETIRING_AFTER, program="several_run"))
        retiring.add("that_stay", plain)
        threads.add(OURS, perform(server, "enqueue", ENQUEUED, 8, program="several_run"))
        threads.add("one_thread", perform(server, "enqueue", ENQUEUED, 1, program="several_run"))
        if isinstance(server, PostgreSQL):
            (bare,) = (one for one in entered("drain", database=name) if one.name == BARE)
            two.add(BARE, drained_by_two(server, bare))
    progress("")
    yield from (two, retiring, threads)


def drained_by_two(server: PostgreSQL, entry: Entry) -> float:
    with server.fresh() as url:
        run(entry, "prepare", url=url)
        run(entry, "load", DRAINED, url=url)
        server.settle(url)
        return DRAINED / run(entry, "drain-by-two", DRAINED, url=url)
