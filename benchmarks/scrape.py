"""How long a scrape takes beside a million jobs, and metrics of as many kinds as have room."""

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.contestants import ENTRIES
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.processes import ROOT, ContestantFailed, environment
from benchmarks.report import OURS, Limit, Measured

JOBS = 1_000_000
LIMIT_MS = 50
LIMIT_SECONDS = 900


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    (entry,) = [entry for entry in ENTRIES if entry.name == OURS]
    progress(f"  {JOBS:,} jobs")
    with server.fresh() as url:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scrape_run", str(JOBS), str(options.rounds)],
            cwd=ROOT,
            env=environment(entry, url) | {"DJANGO_SETTINGS_MODULE": "benchmarks.pages_settings"},
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
        )
    progress("")
    if done.returncode:
        raise ContestantFailed(done.stderr[-3000:])
    for what, times in json.loads(done.stdout).items():
        measured = Measured(f"{what}, {JOBS:,} jobs, {server.name}", "ms", [Limit(LIMIT_MS)])
        for milliseconds in times:
            measured.add(OURS, milliseconds)
        yield measured
