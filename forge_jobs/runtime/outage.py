"""Riding out trouble with the database: say so, wait longer each time, carry on."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Final, TypeVar

from django.db import Error

from forge_jobs import db
from forge_jobs.signals import database_recovered, database_trouble

R = TypeVar("R")

FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 2.0
"""Seconds. When a database is back, this is what a process adds to what its jobs have waited."""


class Stopped(Exception):
    """The process stopped before the database came back."""


class Outage:
    """What one activity lives through: tells of trouble, how long to wait, and when it is over."""

    def __init__(self, doing: str, *, longest_delay: float = LONGEST_DELAY) -> None:
        self.doing = doing
        self.longest_delay = longest_delay
        self._began_at: float | None = None
        self._delay = FIRST_DELAY

    def trouble(self, error: Error) -> float:
        """Tell of it, and drop the connection; returns after how many seconds to try again."""
        self._began_at = self._began_at or time.monotonic()
        delay = min(self.longest_delay, self._delay)
        self._delay = min(self.longest_delay, self._delay * 2)
        database_trouble.send_robust(Outage, error=error, doing=self.doing, retry_in=delay)
        db.connection().close()
        return delay * random.uniform(0.8, 1.2)  # noqa: S311 - no secret

    def over(self) -> None:
        """Tell of the recovery, if there was any trouble; a step without a query proves none."""
        db.connection().queries_log.clear()
        if self._began_at is not None and db.connection().connection is not None:
            after = timedelta(seconds=time.monotonic() - self._began_at)
            self._began_at, self._delay = None, FIRST_DELAY
            database_recovered.send_robust(Outage, doing=self.doing, after=after)


def asked(which: Callable[[], R]) -> R | None:
    """None if it can't be known now: what is done without it will ride out what is amiss."""
    try:
        return which()
    except Error:
        db.connection().close()
        return None


def ride_out(
    step: Callable[[], R],
    *,
    doing: str,
    stopping: Event,
    unless: tuple[type[Error], ...] = (),
) -> R:
    """Run `step` until the database lets it through.

    Raises at once what `unless` names, and in the middle of a transaction, as a test's is,
    whatever happens; `Stopped` when `stopping` is set meanwhile.
    """
    outage = Outage(doing)
    while True:
        try:
            result = step()
        except unless:
            raise
        except Error as error:
            if db.connection().in_atomic_block:
                raise
            if stopping.wait(outage.trouble(error)):
                raise Stopped from error
        else:
            outage.over()
            return result
