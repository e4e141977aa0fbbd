"""What steering costs: concurrency keys beside none, a hot key beside others, a cancel's way.

Keys are measured over several processes, with handlers that wait for 5 ms and write a row.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from benchmarks.contestants import ENTRIES
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.processes import LIMIT_SECONDS, ROOT, ContestantFailed, environment
from benchmarks.report import OURS, Limit, Measured, Ratio

KEYED_JOBS = 5_000
BACKLOG = 20_000
CANCEL_MS = {"postgresql": 100, "sqlite": 1_000}


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    keys = Measured(
        f"drain of {KEYED_JOBS:,} jobs with 50 keys by 6 processes, {server.name}",
        "jobs/s",
        [Ratio("without_keys", 0.6)],
    )
    hot = Measured(
        f"the same beside {BACKLOG:,} blocked jobs of one more key, {server.name}",
        "jobs/s",
        [Ratio("without_backlog", 0.9)],
    )
    cancel = Measured(
        f"cancel to handler, median of 20, {server.name}", "ms", [Limit(CANCEL_MS[server.name])]
    )
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        keyed = perform(server, "drain", "keyed", KEYED_JOBS, 0)
        keys.add(OURS, keyed)
        keys.add("without_keys", perform(server, "drain", "unkeyed", KEYED_JOBS, 0))
        hot.add(OURS, perform(server, "drain", "keyed", KEYED_JOBS, BACKLOG))
        hot.add("without_backlog", keyed)
        cancel.add(OURS, perform(server, "cancel"))
    progress("")
    yield from (keys, hot, cancel)


def perform(
    server: PostgreSQL | Sqlite, *words: object, program: str = "control_run", **settings: str
) -> Any:
    """Let `control_run`, or another one like it, measure one thing in a fresh database.

    `settings` are environment variables.
    """
    (entry,) = [entry for entry in ENTRIES if entry.name == OURS]
    with server.fresh() as url:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{program}", *map(str, words)],
            cwd=ROOT,
            env=environment(entry, url) | settings,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    if done.returncode:
        raise ContestantFailed(done.stderr[-3000:])
    return json.loads(done.stdout)
