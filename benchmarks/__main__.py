"""Runs the benchmarks: `python -m benchmarks [suite] [--database sqlite|postgresql] …`.

Each suite writes its rows into the table of `docs/speed.md` once it has ended.
"""

import argparse
import json
import platform
from collections.abc import Sequence
from pathlib import Path

from benchmarks import (
    api,
    children,
    control,
    coroutines,
    cron,
    handlers,
    large,
    latency,
    limits,
    metering,
    pages,
    queues,
    rest,
    scale,
    schedules,
    scrape,
    sets,
    several,
    startup,
    table,
    throughput,
)
from benchmarks.contestants import BOTH
from benchmarks.databases import server
from benchmarks.options import Options
from benchmarks.report import Measured, show

SUITES = {
    "handlers": handlers.measure,
    "throughput": throughput.measure,
    "latency": latency.measure,
    "scale": scale.measure,
    "children": children.measure,
    "control": control.measure,
    "several": several.measure,
    "queues": queues.measure,
    "coroutines": coroutines.measure,
    "limits": limits.measure,
    "cron": cron.measure,
    "schedules": schedules.measure,
    "pages": pages.measure,
    "scrape": scrape.measure,
    "startup": startup.measure,
    "sets": sets.measure,
    "api": api.measure,
    "rest": rest.measure,
    "memory": throughput.drain,
    "metering": metering.measure,
    "large": large.measure,
}
# throughput measures memory too, and filling a large table takes long
WHOLE = tuple(name for name in SUITES if name not in ("memory", "large"))
ROUNDS = {
    "handlers": 3,
    "throughput": 3,
    "latency": 1,
    "scale": 1,
    "children": 3,
    "control": 3,
    "several": 3,
    "queues": 1,
    "coroutines": 3,
    "limits": 3,
    "cron": 5,
    "schedules": 3,
    "sets": 5,
    "api": 3,
    "rest": 1,
    "pages": 3,
    "scrape": 15,
    "startup": 15,
    "memory": 1,
    "large": 1,
    "metering": 5,
}


def main() -> None:
    arguments = parser().parse_args()
    suites = WHOLE if arguments.suite == "all" else [arguments.suite]
    results = [
        result
        for database in ([arguments.database] if arguments.database else BOTH)
        for result in measure(database, suites, arguments)
    ]
    if arguments.json:
        text = json.dumps([result.as_dict() for result in results], indent=1)
        arguments.json.write_text(text)


def measure(database: str, suites: Sequence[str], arguments: argparse.Namespace) -> list[Measured]:
    results: list[Measured] = []
    with server(database) as running:
        print(f"\n{running.describe()}; Python {platform.python_version()}")
        for suite in suites:
            options = Options(
                rounds=arguments.rounds or ROUNDS[suite],
                jobs=arguments.jobs,
                only=frozenset(filter(None, arguments.only.split(","))),
            )
            found = list(SUITES[suite](running, options))
            for result in found:
                show(result)
            if arguments.table:
                table.write(found, database=running.version())
            results += found
    return results


def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks")
    parser.add_argument("suite", nargs="?", default="all", choices=[*SUITES, "all"])
    parser.add_argument("--database", choices=BOTH, help="both, if not given")
    parser.add_argument("--rounds", type=int, help="of each suite: " + str(ROUNDS))
    parser.add_argument("--jobs", type=int, default=20_000, help="for the quickest contestants")
    parser.add_argument("--only", default="", help="names of contestants, with commas between")
    parser.add_argument("--no-table", dest="table", action="store_false", help="write nothing")
    parser.add_argument("--json", type=Path, help="a file to write all measurements to")
    return parser


main()
