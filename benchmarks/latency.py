"""How soon an idle worker starts a job that another process enqueues, and what idling costs.

The time runs on one machine's wall clock from just before the INSERT to the start of the handler,
at 50 enqueues a second. Every queue waits for work as it does by default.
"""

from collections.abc import Iterator, Sequence

from benchmarks.contestants import PICKUP, Entry, entered
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.meter import WARM_UP
from benchmarks.options import Options
from benchmarks.processes import run, running
from benchmarks.report import Limit, Measured, Multiple

SENT = 500
IDLE_SECONDS = 10
SETTLING_SECONDS = 2
P50, P99, IDLE = 0, 1, 2
TARGETS = {"postgresql": (2.5, 8, 2), "sqlite": (4, 10, 2)}
BARE = {"postgresql": ("bare_notify", 1.8), "sqlite": ("bare_data_version", 1.5)}


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    limits = TARGETS[server.name]
    near_bare = Multiple(*BARE[server.name])
    p50 = Measured(f"pickup p50, {server.name}", "ms", [Limit(limits[P50]), near_bare])
    p99 = Measured(f"pickup p99, {server.name}", "ms", [Limit(limits[P99])])
    idle = Measured(f"idle worker, {server.name}", "% CPU", [Limit(limits[IDLE])])
    entries = entered(PICKUP, database=server.name, only=options.only)
    for entry in options.rounds_of(entries):
        waits, cpu = pick_up(server, entry)
        p50.add(entry.name, percentile(waits, 50))
        p99.add(entry.name, percentile(waits, 99))
        idle.add(entry.name, cpu)
    yield from (p50, p99, idle)


def pick_up(server: PostgreSQL | Sqlite, entry: Entry) -> tuple[list[float], float]:
    """Returns how long each job waited (ms), in rising order, and the idle worker's CPU (%)."""
    with server.fresh() as url:
        run(entry, "prepare", url=url)
        server.settle(url)
        with running(entry, "drain", WARM_UP + SENT, url=url) as worker:
            run(entry, "send", WARM_UP, url=url)
            worker.report()
            worker.cpu_percent(seconds=SETTLING_SECONDS)
            cpu = worker.cpu_percent(seconds=IDLE_SECONDS)
            run(entry, "send", SENT, url=url)
            return worker.report()["waits_ms"], cpu


def percentile(rising: Sequence[float], percent: int) -> float:
    return rising[len(rising) * percent // 100]
