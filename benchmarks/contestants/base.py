"""What a contestant must be able to do, so that all are prepared, loaded and drained alike."""

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable
from typing import Final

THREADS: Final = 8


def database_url() -> str:
    """A PostgreSQL URL, or the path of an SQLite file."""
    return os.environ["BENCHMARK_DATABASE_URL"]


class Contestant(ABC):
    """One queue in the configuration its documentation says is quickest and still durable.

    It is one process of eight threads or the nearest that the queue has; its job calls
    `meter.started`, with the moment if it was given one.
    """

    @abstractmethod
    def prepare(self) -> None:
        """Create the schema in an empty database."""

    @abstractmethod
    def enqueue_each(self, moments: Iterable[int]) -> None:
        """Enqueue one job a moment, each committed by itself, with the moment as its argument."""

    @abstractmethod
    def enqueue_many(self, count: int) -> None:
        """Enqueue `count` jobs in the quickest way that the queue documents."""

    def enqueue_future(self, count: int) -> None:
        """Enqueue `count` jobs that are due tomorrow."""
        raise NotImplementedError

    def add_hourly_schedules(self, count: int) -> None:
        """Store `count` schedules that are due together, and not yet planned."""
        raise NotImplementedError

    def add_yearly_schedules(self, count: int) -> None:
        """Store `count` schedules of as many expressions, due some time in a year."""
        raise NotImplementedError

    def plan_all(self) -> None:
        """Find when those that were added are due first."""
        raise NotImplementedError

    def look_for_due(self) -> None:
        """What the scheduler does when nothing is due."""
        raise NotImplementedError

    def fire_all(self) -> None:
        """What it does when all schedules are due."""
        raise NotImplementedError

    @abstractmethod
    def work(self) -> None:
        """Run a worker in this process for ever."""

    @abstractmethod
    def unfinished(self) -> bool:
        """Is there a job, due today, whose outcome is not committed? Asked from another thread."""
