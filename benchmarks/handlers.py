"""What real handlers do: a row read and a row written by the ORM, beside a loop of the same."""

from collections.abc import Iterator

from benchmarks.control import perform
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.report import OURS, Measured, Ratio

JOBS = 8_000
"""Enough for what a process finds out by trial in its first second to be a small part of it."""
IN_LOOP = {"postgresql": 1.6, "sqlite": 0.65}
AGES = {"0": "as Django opens them", "": "kept open"}


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    handler = "a handler that reads and writes a row"
    in_loop = [Ratio("in_a_loop", IN_LOOP[server.name])]
    drained = {
        age: Measured(f"{handler}, sessions {words}, {server.name}", "jobs/s", in_loop)
        for age, words in AGES.items()
    }
    two = Measured(f"{handler}, 2 processes, {server.name}", "jobs/s", [Ratio("one_process", 0.8)])
    atomic = Measured(f"{handler}, atomic, {server.name}", "jobs/s", [Ratio("plain", 0.8)])
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        for age, measured in drained.items():
            kept = {"BENCHMARK_CONN_MAX_AGE": age}
            rate = perform(server, "drain", "real", JOBS, 1, program="handlers_run", **kept)
            measured.add(OURS, rate)
            measured.add("in_a_loop", perform(server, "loop", JOBS, program="handlers_run", **kept))
            if server.name == "sqlite":
                bare = perform(server, "bare", JOBS, program="handlers_run", **kept)
                measured.add("a_bare_queue", bare)
        two.add(OURS, perform(server, "drain", "real", JOBS, 2, program="handlers_run"))
        two.add("one_process", rate)
        atomic.add(OURS, perform(server, "drain", "real_atomic", JOBS, 1, program="handlers_run"))
        atomic.add("plain", rate)
    progress("")
    yield from (*drained.values(), two, atomic)
