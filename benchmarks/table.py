"""Keeps the table of `docs/speed.md`: what is measured takes the place of what was before."""

import os
import platform
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import django

from benchmarks.report import OURS, Measured, number, spread

PAGE = Path(__file__).parent.parent / "docs" / "speed.md"
HEAD = "| what | forge_jobs | beside | wanted | | measured |"
LINE = "|---|---|---|---|---|---|"


def write(results: Iterable[Measured], *, database: str) -> None:
    """Put one row for each quantity into the page; rows of others stay as they are."""
    before, _, rest = PAGE.read_text().partition(f"{HEAD}\n{LINE}\n")
    lines = rest.split("\n")
    height = next(place for place, line in enumerate(lines) if not line.startswith("|"))
    rows = {title_of(line): line for line in lines[:height]}
    for measured in results:
        if OURS in measured.values:
            rows[measured.title] = row(measured, database=database)
    table = "\n".join([HEAD, LINE, *rows.values(), *lines[height:]])
    PAGE.write_text(before + table)


def title_of(line: str) -> str:
    return line.split("|")[1].strip()


def row(measured: Measured, *, database: str) -> str:
    middle, lowest, highest = map(number, spread(measured.values[OURS]))
    ours = f"{middle} {measured.unit}"
    if lowest != highest:
        ours += f" ({lowest} to {highest})"
    verdicts = [verdict for verdict in measured.verdicts() if verdict.met is not None]
    wanted = "; ".join(verdict.text.rpartition("to be ")[2] for verdict in verdicts)
    met = {True: "met", False: "**not met**"}[all(one.met for one in verdicts)] if verdicts else ""
    cells = (measured.title, ours, beside(measured), wanted, met, circumstances(database))
    return f"| {' | '.join(cells)} |"


def beside(measured: Measured) -> str:
    """How many times what others did ours is, in the median of pairs."""
    return ", ".join(
        f"{median(measured.ratios(name)):.2f}x {name.replace('_', ' ')}"
        for name in measured.values
        if name != OURS
    )


def circumstances(database: str) -> str:
    python, load = platform.python_version(), os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}, {database}, Python {python}, Django "
        f"{django.get_version()}, {os.cpu_count()} cores, load {load:.0f}, {sys.platform}"
    )
