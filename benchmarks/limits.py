"""What limits cost: `max_workers` beside none, and a kind at its limit in front of others."""

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.contestants import ENTRIES
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.processes import LIMIT_SECONDS, ROOT, ContestantFailed, environment
from benchmarks.report import OURS, Limit, Measured, Ratio

NOOPS = 20_000
TIMED = 2_000
IDEAL = 400.0
"""Four at once, of 10 ms each."""
FRONT = 50_000


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    name = server.name
    wide = Measured(f"max_workers=8 for 8 threads, {name}", "jobs/s", [Ratio("no_limit", 0.7)])
    narrow = Measured(
        f"max_workers=4 for 3 processes of 8 threads, {name}", "jobs/s", [Ratio("no_limit", 0.4)]
    )
    behind = Measured(
        f"drain behind {FRONT:,} of a kind at its limit, {name}", "jobs/s", [Ratio("alone", 0.8)]
    )
    timed = {
        processes: Measured(
            f"max_workers=4, jobs of 10 ms, {processes} x 8 threads, {name}",
            "jobs/s",
            [Ratio("ideal", 0.9)],
        )
        for processes in (1, 3)
    }
    most = Measured(f"the most of those at once, {name}", "jobs", [Limit(4)])
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        for measured, limit, processes in ((wide, 8, 1), (narrow, 4, 3)):
            measured.add(OURS, perform(server, "noops", NOOPS, limit, processes)["rate"])
            measured.add("no_limit", perform(server, "noops", NOOPS, 0, processes)["rate"])
        for processes, measured in timed.items():
            found = perform(server, "timed", TIMED, 4, processes)
            measured.add(OURS, found["rate"])
            measured.add("ideal", IDEAL)
            most.add(OURS, found["most"])
        behind.add(OURS, perform(server, "behind", NOOPS, FRONT)["rate"])
        behind.add("alone", perform(server, "behind", NOOPS, 0)["rate"])
    progress("")
    yield from (wide, narrow, *timed.values(), most, behind)


def perform(server: PostgreSQL | Sqlite, *words: object) -> dict[str, float]:
    """Let `limits_run` measure one thing in a fresh database."""
    (entry,) = [entry for entry in ENTRIES if entry.name == OURS]
    with server.fresh() as url:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.limits_run", *map(str, words)],
            cwd=ROOT,
            env=environment(entry, url),
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    if done.returncode:
        raise ContestantFailed(done.stderr[-3000:])
    return json.loads(done.stdout)
