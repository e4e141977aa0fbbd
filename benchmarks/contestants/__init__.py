"""The contestants: which there are, on which databases, and with how many jobs each."""

import sys
from dataclasses import dataclass
from functools import cache
from typing import Final

BOTH: Final = ("postgresql", "sqlite")
POSTGRESQL: Final = ("postgresql",)
SQLITE: Final = ("sqlite",)


@dataclass(frozen=True)
class Entry:
    """A contestant: `program` names its module here, `variant` is what its factory is given.

    `share` spares the slow ones: they run that part of the jobs, which if anything helps them.
    `suites` says where it takes part, and `python` which one it needs.
    """

    name: str
    program: str
    databases: tuple[str, ...]
    suites: tuple[str, ...]
    variant: str = ""
    share: float = 1.0
    python: tuple[int, int] = (3, 11)


DRAIN, ENQUEUE, PICKUP, SCALE = "drain", "enqueue", "pickup", "scale"
METERING, SCHEDULES = "metering", "schedules"
ALL: Final = (DRAIN, ENQUEUE, PICKUP)

ENTRIES: Final = (
    Entry("forge_jobs", "forge_jobs", BOTH, (*ALL, SCALE, SCHEDULES, METERING)),
    Entry("unmetered", "forge_jobs", BOTH, (METERING,), "unmetered"),
    Entry("same_row_orm", "same_row", BOTH, (ENQUEUE,), "orm", share=0.5),
    Entry("same_row_sql", "same_row", BOTH, (ENQUEUE,), "sql"),
    Entry("bare_psycopg", "bare_psycopg", POSTGRESQL, (DRAIN, ENQUEUE, SCALE)),
    Entry("bare_notify", "bare_psycopg", POSTGRESQL, (PICKUP,), "notify"),
    Entry("pgqueuer", "pgqueuer", POSTGRESQL, ALL, "asyncpg"),
    Entry("pgqueuer_psycopg", "pgqueuer", POSTGRESQL, (DRAIN,), "psycopg", share=0.5),
    Entry("procrastinate", "procrastinate", POSTGRESQL, ALL, share=0.1),
    Entry("oban", "oban", POSTGRESQL, ALL, share=0.2, python=(3, 12)),
    Entry("bare_sqlite_single", "bare_sqlite", SQLITE, (DRAIN, ENQUEUE), "1"),
    Entry("bare_sqlite_batch", "bare_sqlite", SQLITE, (DRAIN, SCALE), "100", share=2.0),
    Entry("bare_data_version", "bare_sqlite", SQLITE, (PICKUP,), "100"),
    Entry("huey_sqlite", "huey_sqlite", SQLITE, ALL, "8", share=0.5),
    Entry("huey_sqlite_alone", "huey_sqlite", SQLITE, (DRAIN,), "1", share=0.5),
    Entry("django_tasks_db", "django_tasks_db", BOTH, ALL, share=0.05),
    Entry("django_ox", "django_ox", BOTH, ALL, share=0.05, python=(3, 12)),
    Entry("dj_queue", "dj_queue", BOTH, ALL, share=0.05, python=(3, 12)),
)


def entered(suite: str, *, database: str, only: frozenset[str] = frozenset()) -> list[Entry]:
    """Who takes part in a suite; `only` keeps those names."""
    return [
        entry
        for entry in ENTRIES
        if suite in entry.suites and database in entry.databases
        if not only or entry.name in only
        if runs_here(entry)
    ]


@cache
def runs_here(entry: Entry) -> bool:
    """Is this Python new enough for it? Tells of one for which it is not, once."""
    if sys.version_info >= entry.python:
        return True
    print(f"{entry.name} is left out: it needs Python {entry.python[0]}.{entry.python[1]}")
    return False
