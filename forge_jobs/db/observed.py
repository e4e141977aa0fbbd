"""The plain rows that tell how it goes: what happened, what is measured, and who holds whom up."""

from datetime import datetime
from typing import NamedTuple


class HeldLock(NamedTuple):
    """A session whose transaction has held a lock for `seconds`: on a queue's row, or, if `queue`
    is empty, on something that statements of forge_jobs wait for now.
    """

    queue: str
    pid: int
    application_name: str
    client: str
    state: str
    seconds: float

    def __str__(self) -> str:
        who = ", from ".join(filter(None, (self.application_name or "unnamed", self.client)))
        what = (
            f"the row of queue {self.queue}, whose jobs can't be claimed"
            if self.queue
            else "what forge_jobs waits for"
        )
        return (
            f"PostgreSQL's session {self.pid} ({who}, {self.state}) has locked {what}, for "
            f"{self.seconds:,.0f} s. If it hangs: SELECT pg_terminate_backend({self.pid})."
        )


class EnqueuedCount(NamedTuple):
    """How many jobs of a queue and kind were enqueued in the ten seconds from `at` on."""

    at: datetime
    queue: str
    kind: str
    jobs: int


class EventRow(NamedTuple):
    """Something that happened to a job; `seconds` is for how long the run lasted that ended so."""

    job_id: int
    at: datetime
    event: str
    attempt: int | None = None
    process_name: str = ""
    seconds: float | None = None
    by: str = ""
    detail: str = ""


class DatabaseFacts(NamedTuple):
    """What a database tells of itself; None where it can't."""

    size_bytes: int | None = None
    wal_bytes: int | None = None
    connections: int | None = None
    live_tuples: int | None = None
    dead_tuples: int | None = None
    disk_free_bytes: int | None = None


class Grid(NamedTuple):
    """A stretch of time in equal steps; `first` is `start` in seconds since 1970."""

    start: datetime
    end: datetime
    first: int
    step: int


class ProcessGauges(NamedTuple):
    """How a process was in the step of this place: on average, but at most for what can run out."""

    process_name: str
    host: str
    place: int
    cpu_percent: float
    rss_bytes: int
    busy: float
    threads: int
    database_seconds: float
    connections: int


class DatabaseGauges(NamedTuple):
    """How the database was in the step of this place, at worst."""

    place: int
    size_bytes: int | None
    wal_bytes: int | None
    connections: int | None
    live_tuples: int | None
    dead_tuples: int | None
    disk_free_bytes: int | None
