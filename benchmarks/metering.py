"""What it costs to measure: drains with and without the recorder, in pairs.

Beside the rate, which whatever else the machine does disturbs, it tells the processor time that
the process took for each job.
"""

from collections.abc import Iterator

from benchmarks.contestants import METERING, Entry, entered
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options
from benchmarks.processes import run, running
from benchmarks.report import Measured, Ratio

SHARE = 5
"""Drains are so many times as long as elsewhere, for samples are written every other second."""

WITHOUT = "unmetered"


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    rates = Measured(f"metered drain, {server.name}", "jobs/s", [Ratio(WITHOUT, 0.95)])
    cpu = Measured(f"processor time, {server.name}", "µs a job")
    entries = entered(METERING, database=server.name, only=options.only)
    for entry in options.rounds_of(entries):
        rate, microseconds = drain(server, entry, jobs=options.jobs * SHARE)
        rates.add(entry.name, rate)
        cpu.add(entry.name, microseconds)
    yield rates
    yield cpu


def drain(server: PostgreSQL | Sqlite, entry: Entry, *, jobs: int) -> tuple[float, float]:
    """Returns jobs a second, and microseconds of processor time a job."""
    with server.fresh() as url:
        run(entry, "prepare", url=url)
        run(entry, "load", jobs, url=url)
        server.settle(url)
        with running(entry, "drain", jobs, url=url) as worker:
            before = None
            while "seconds" not in (report := worker.report()):
                before = worker.cpu_seconds()
            spent = worker.cpu_seconds() - (before or 0.0)
        return jobs / report["seconds"], 1e6 * spent / jobs
