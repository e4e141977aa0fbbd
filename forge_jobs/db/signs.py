"""What a process looks at again and again, to learn that something has changed."""

from datetime import datetime
from typing import NamedTuple


class Horizon(NamedTuple):
    """When the first job is due, and the first schedule, and expires; None is never."""

    job: datetime | None
    schedule: datetime | None
    has_unplanned: bool
    expiry: datetime | None
    has_blocked: bool
    has_followers: bool


class Signs(NamedTuple):
    """What tells a process that something has changed by which it goes."""

    order: str | None
    """What it was asked to be; None if its row is gone."""
    queues: object
    """Differs from what it was if any queue's row does."""
    ready: list[str]
    has_followers: bool
    horizon: Horizon | None
    """Only for whoever leads."""


class Beats(NamedTuple):
    """What each process last said, by its key, and the database's time at that moment."""

    moment: datetime
    said: dict[int, datetime]


class Awaited(NamedTuple):
    """What ends of jobs may set free, of which there is often little, or nothing."""

    batches: list[int]
    """Those that are complete and have not ended, up to as many as were asked for."""
    has_jobs: bool
    """Whether jobs are waited for; true as well where too much waits to know."""
