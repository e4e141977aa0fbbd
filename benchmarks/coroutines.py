"""What many coroutines in one process cost: time and memory, without the ORM and with it."""

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.contestants import ENTRIES
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.processes import LIMIT_SECONDS, ROOT, ContestantFailed, environment
from benchmarks.report import OURS, Limit, Measured

SLEEPING = 1_000
INSTANT = 5_000


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    what = f"{SLEEPING:,} coroutines that wait for 1 s, 200 at a time"
    asleep = Measured(f"{what}, {server.name}", "s", [Limit(7)])
    memory = Measured(f"memory of the same, {server.name}", "MiB", [Limit(100)])
    asking = Measured(f"the same with two queries each, {server.name}", "s")
    instant = Measured(f"drain of {INSTANT:,} no-op coroutines, {server.name}", "jobs/s")
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        seconds, mib = perform(server, "asleep", SLEEPING)
        asleep.add(OURS, seconds)
        memory.add(OURS, mib)
        asking.add(OURS, perform(server, "asking", SLEEPING)[0])
        instant.add(OURS, INSTANT / perform(server, "instant", INSTANT)[0])
    progress("")
    yield from (asleep, memory, asking, instant)


def perform(server: PostgreSQL | Sqlite, kind: str, jobs: int) -> tuple[float, float]:
    (entry,) = [entry for entry in ENTRIES if entry.name == OURS]
    with server.fresh() as url:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.coroutines_run", kind, str(jobs)],
            cwd=ROOT,
            env={**environment(entry, url), "BENCHMARK_IMPORTS": "benchmarks.coroutine_jobs"},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    if done.returncode:
        raise ContestantFailed(done.stderr[-3000:])
    seconds, mib = json.loads(done.stdout)
    return seconds, mib
