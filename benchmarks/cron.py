"""When an expression is due next: our answer beside croniter's, in pairs, without a database."""

from collections.abc import Callable, Iterator
from datetime import datetime
from time import process_time
from timeit import timeit
from zoneinfo import ZoneInfo

from croniter import croniter

from benchmarks.databases import PostgreSQL, Sqlite
from benchmarks.options import Options, progress
from benchmarks.report import OURS, Limit, Measured
from forge_jobs.cron.expression import Cron

ZONE = ZoneInfo("Europe/Berlin")
START = datetime(2026, 3, 2, 12, tzinfo=ZONE)
EXPRESSIONS = {
    "the next minute": "* * * * *",
    "office hours": "*/15 9-17 * * mon-fri",
    "once a night, in the hour that the clock skips": "30 2 * * *",
    "twice a month": "0 9 1,15 * *",
    "a month's last Friday": "0 9 * * L5",
    "a leap day": "0 0 29 2 *",
}
TIMES = 500
LIMIT_MICROSECONDS = 100


def measure(server: PostgreSQL | Sqlite, options: Options) -> Iterator[Measured]:
    asked = {
        expression: Measured(f"{what}, {expression}", "µs", [Limit(LIMIT_MICROSECONDS)])
        for what, expression in EXPRESSIONS.items()
    }
    read = Measured("one of many expressions, read first", "µs")
    for number in range(options.rounds):
        progress(f"  round {number + 1} of {options.rounds}")
        for expression, measured in asked.items():
            ours, theirs = Cron(expression, ZONE), croniter(expression, START)
            measured.add(OURS, microseconds(lambda ours=ours: ours.after(START)))
            measured.add("croniter", microseconds(lambda theirs=theirs: ask(theirs)))
        fresh = iter(unread(number))
        read.add(OURS, microseconds(lambda fresh=fresh: Cron(next(fresh), ZONE).after(START)))
        fresh = iter(unread(number))
        read.add("croniter", microseconds(lambda fresh=fresh: ask(croniter(next(fresh), START))))
    progress("")
    yield from (*asked.values(), read)


def ask(theirs: croniter) -> datetime:
    return theirs.get_next(datetime, start_time=START)


def microseconds(action: Callable[[], object]) -> float:
    """Of processor time, each of many times."""
    return 1e6 * timeit(action, timer=process_time, number=TIMES) / TIMES


def unread(round_number: int) -> list[str]:
    """Expressions that no other round has, for whoever keeps what was read."""
    minutes = range(TIMES)
    return [f"{m % 60} {m // 60} {round_number % 28 + 1} * *" for m in minutes]
