"""How soon the HTTP API answers at 200 requests a second, beside drains of several sorts."""

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.contestants import ENTRIES
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.processes import ROOT, ContestantFailed, environment
from benchmarks.report import OURS, Limit, Measured

A_SECOND = 200
SECONDS = 10
LIMIT_MS = 100
LIMIT_SECONDS = 300
TENTH = 10
"""The nice value of workers that have a tenth of the weight."""
WAITS = "a drain of jobs that wait for 10 ms"


@dataclass(frozen=True)
class Drain:
    """No-op jobs take all processors that there are; most handlers wait for somebody else."""

    name: str
    kind: str
    nice: int = 0


DRAINS = (
    Drain("a drain", "bench.noop"),
    Drain("a drain, by workers of a tenth of the weight", "bench.noop", TENTH),
    Drain(WAITS, "bench.timed"),
    Drain(f"{WAITS}, by workers of a tenth of the weight", "bench.timed", TENTH),
)


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    for drain in DRAINS:
        yield from beside(drain, server, options)


def beside(drain: Drain, server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    (entry,) = [entry for entry in ENTRIES if entry.name == OURS]
    what = f"{A_SECOND} API requests a second beside {drain.name}, {server.name}"
    asked = (A_SECOND, SECONDS, drain.kind, drain.nice)
    measured = {
        "p50": Measured(f"p50 of {what}", "ms"),
        "p99": Measured(f"p99 of {what}", "ms", [Limit(LIMIT_MS)]),
        "processor": Measured(f"processor time of the web processes a request, {what}", "ms"),
        "drained": Measured(f"jobs drained beside {what}", "1/s"),
    }
    for turn in range(options.rounds):
        progress(f"  round {turn + 1} of {options.rounds}")
        with server.fresh() as url:
            done = subprocess.run(
                [sys.executable, "-m", "benchmarks.api_run", *map(str, asked)],
                cwd=ROOT,
                env=environment(entry, url) | {"DJANGO_SETTINGS_MODULE": "benchmarks.api_settings"},
                capture_output=True,
                text=True,
                timeout=LIMIT_SECONDS,
            )
        if done.returncode:
            raise ContestantFailed(done.stderr[-3000:])
        for name, value in json.loads(done.stdout.splitlines()[-1]).items():
            measured[name].add(OURS, value)
    progress("")
    yield from measured.values()
