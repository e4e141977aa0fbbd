"""What one more entry of `INSTALLED_APPS` costs each web process, with the admin's own pages.

A process with it and one without are started by turns; the pair's difference is what is added.
Compiled files are there by then: the first pair does not count.
"""

import json
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.contestants import ENTRIES
from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.processes import LIMIT_SECONDS, ROOT, ContestantFailed, environment
from benchmarks.report import OURS, Limit, Measured

LIMIT_MS = 45
LIMIT_MIB = 4


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    time = Measured(
        f"added to the start of a web process, {server.name}", "ms of processor", [Limit(LIMIT_MS)]
    )
    memory = Measured(f"added to its memory, {server.name}", "MiB", [Limit(LIMIT_MIB)])
    with server.fresh() as url:
        started(url, "with"), started(url, "without")
        for number in range(options.rounds):
            progress(f"  round {number + 1} of {options.rounds}")
            milliseconds, mib = started(url, "with")
            others_milliseconds, others_mib = started(url, "without")
            time.add(OURS, milliseconds - others_milliseconds)
            memory.add(OURS, mib - others_mib)
    progress("")
    yield from (time, memory)


def started(url: str, word: str) -> tuple[float, float]:
    (entry,) = [entry for entry in ENTRIES if entry.name == OURS]
    settings = {"DJANGO_SETTINGS_MODULE": "benchmarks.startup_settings"}
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.startup_run", word],
        cwd=ROOT,
        env=environment(entry, url) | settings | {"PYTHONDONTWRITEBYTECODE": ""},
        capture_output=True,
        text=True,
        timeout=LIMIT_SECONDS,
    )
    if done.returncode:
        raise ContestantFailed(done.stderr[-3000:])
    return tuple(json.loads(done.stdout))
