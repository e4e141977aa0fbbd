"""What children cost and bring: warm ones, beside a process for each job and beside threads."""

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.contestants import ENTRIES
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.processes import LIMIT_SECONDS, ROOT, ContestantFailed, environment
from benchmarks.report import OURS, Measured, Ratio

STREAMED = 20_000
STARTED = 200
REAL = 4_000
COMPUTED = 1_000


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    streamed = Measured(
        f"no-op jobs in 4 warm Python children, from enqueue to result, {server.name}",
        "jobs/s",
        [Ratio("a Python for each", 100)],
    )
    real = Measured(
        f"a handler in a child that reads and writes a row, {server.name}",
        "jobs/s",
        [Ratio("threads", 0.8)],
    )
    computed = Measured(
        f"a handler in a child that computes for 5 ms, 4 at once, {server.name}",
        "jobs/s",
        [Ratio("threads", 1.8)],
    )
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        streamed.add(OURS, perform(server, "python", STREAMED))
        streamed.add("4 shells", perform(server, "shell", STREAMED))
        streamed.add("a Python for each", perform(server, "each", STARTED))
        streamed.add("a shell for each", perform(server, "each_shell", STARTED))
        streamed.add("threads", perform(server, "thread", STREAMED))
        real.add(OURS, perform(server, "real_apart", REAL))
        real.add("threads", perform(server, "real", REAL))
        computed.add(OURS, perform(server, "compute_apart", COMPUTED))
        computed.add("threads", perform(server, "compute", COMPUTED))
    progress("")
    yield from (streamed, real, computed)


def perform(server: PostgreSQL | Sqlite, kind: str, jobs: int) -> float:
    (entry,) = [entry for entry in ENTRIES if entry.name == OURS]
    with server.fresh() as url:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.children_run", kind, str(jobs)],
            cwd=ROOT,
            env={**environment(entry, url), "BENCHMARK_IMPORTS": "benchmarks.children_jobs"},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    if done.returncode:
        raise ContestantFailed(done.stderr[-3000:])
    return json.loads(done.stdout)
