"""What children cost: warm ones in Python and in a shell, beside a process for each job."""

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


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    streamed = Measured(
        f"no-op jobs in 4 warm Python children, from enqueue to result, {server.name}",
        "jobs/s",
        [Ratio("a Python for each", 100)],
    )
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        streamed.add(OURS, perform(server, "python", STREAMED))
        streamed.add("4 shells", perform(server, "shell", STREAMED))
        streamed.add("a Python for each", perform(server, "each", STARTED))
        streamed.add("a shell for each", perform(server, "each_shell", STARTED))
        streamed.add("threads", perform(server, "thread", STREAMED))
    progress("")
    yield streamed


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
