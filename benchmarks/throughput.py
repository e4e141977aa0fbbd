"""How many jobs a second one process drains and enqueues, and how much memory draining takes."""

from collections.abc import Iterator

from benchmarks.contestants import DRAIN, ENQUEUE, Entry, entered
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options
from benchmarks.processes import run, running
from benchmarks.report import Limit, Measured, Ratio

DRAIN_TARGETS = {
    "postgresql": [
        Ratio("pgqueuer", 1.3),
        Ratio("procrastinate", 20),
        Ratio("django_tasks_db", 40),
        Ratio("bare_psycopg", 1 / 3),
    ],
    "sqlite": [
        Ratio("huey_sqlite", 4),
        Ratio("django_tasks_db", 20),
        Ratio("bare_sqlite_single", 1.5),
    ],
}
EACH_TARGETS = [Ratio("same_row_orm", 1.5)]
MANY_TARGETS = [Ratio("bare_psycopg", 0.5)]


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    yield from drain(server, options)
    yield from enqueue(server, options)


def drain(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    rates = Measured(f"drain, {server.name}", "jobs/s", DRAIN_TARGETS[server.name])
    memory = Measured(f"memory after the drain, {server.name}", "MiB", [Limit(55)])
    entries = entered(DRAIN, database=server.name, only=options.only)
    for entry in options.rounds_of(entries):
        rate, mib = drain_once(server, entry, jobs=options.share(entry))
        rates.add(entry.name, rate)
        memory.add(entry.name, mib)
    yield rates
    yield memory


def drain_once(server: PostgreSQL | Sqlite, entry: Entry, *, jobs: int) -> tuple[float, float]:
    """Returns jobs a second and MiB."""
    with server.fresh() as url:
        run(entry, "prepare", url=url)
        run(entry, "load", jobs, url=url)
        server.settle(url)
        return drained(entry, jobs, url=url)


def drained(entry: Entry, jobs: int, *, url: str) -> tuple[float, float]:
    with running(entry, "drain", jobs, url=url) as worker:
        while "seconds" not in (report := worker.report()):
            pass
        return jobs / report["seconds"], worker.rss_mib()


def enqueue(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    each = Measured(f"enqueue one by one, {server.name}", "jobs/s", EACH_TARGETS)
    many = Measured(f"enqueue many at once, {server.name}", "jobs/s", MANY_TARGETS)
    entries = entered(ENQUEUE, database=server.name, only=options.only)
    for entry in options.rounds_of(entries):
        with server.fresh() as url:
            run(entry, "prepare", url=url)
            count = options.jobs // 10
            each.add(entry.name, count / run(entry, "enqueue-each", count, url=url))
        with server.fresh() as url:
            run(entry, "prepare", url=url)
            count = max(500, options.share(entry) // 2)
            many.add(entry.name, count / run(entry, "enqueue-many", count, url=url))
    yield each
    yield many
