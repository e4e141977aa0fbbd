"""How long a scrape takes beside a million jobs, and metrics of as many kinds as have room."""

from collections.abc import Iterator

from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options
from benchmarks.pages import timed
from benchmarks.report import Measured

JOBS = 1_000_000
LIMIT_MS = 50
LIMIT_SECONDS = 900


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    yield from timed(
        server, options, program="scrape_run", jobs=JOBS, most_ms=LIMIT_MS, within=LIMIT_SECONDS
    )
