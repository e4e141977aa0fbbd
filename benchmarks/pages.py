"""How long each page of Mission Control takes beside a million jobs, and its news."""

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
LIMIT_MS = 300
LIMIT_SECONDS = 3_600


def measure(
    server: PostgreSQL | Sqlite, options: Options, *, jobs: int = JOBS
) -> Iterator[Measured]:
    yield from timed(
        server, options, program="pages_run", jobs=jobs, most_ms=LIMIT_MS, within=LIMIT_SECONDS
    )


def timed(
    server: PostgreSQL | Sqlite,
    options: Options,
    *,
    program: str,
    jobs: int,
    most_ms: int,
    within: int,
) -> Iterator[Measured]:
    """The milliseconds that a program of ours tells of, `within` so many seconds."""
    (entry,) = [entry for entry in ENTRIES if entry.name == OURS]
    progress(f"  {jobs:,} jobs")
    with server.fresh() as url:
        done = subprocess.run(
            [sys.executable, "-m", f"benchmarks.{program}", str(jobs), str(options.rounds)],
            cwd=ROOT,
            env=environment(entry, url) | {"DJANGO_SETTINGS_MODULE": "benchmarks.pages_settings"},
            capture_output=True,
            text=True,
            timeout=within,
        )
    progress("")
    if done.returncode:
        raise ContestantFailed(done.stderr[-3000:])
    for what, times in json.loads(done.stdout).items():
        measured = Measured(f"{what}, {jobs:,} jobs, {server.name}", "ms", [Limit(most_ms)])
        for milliseconds in times:
            measured.add(OURS, milliseconds)
        yield measured
