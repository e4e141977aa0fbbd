"""Riding out trouble with the database: say so, wait longer each time, carry on."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Final, TypeVar

from django.db import Error, InterfaceError, OperationalError

from forge_jobs import db
from forge_jobs.handlers.border import causes
from forge_jobs.signals import database_recovered, database_trouble

R = TypeVar("R")

FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 30.0

_last_trouble_at = float("-inf")


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
        global _last_trouble_at
        _last_trouble_at = time.monotonic()
        self._began_at = self._began_at or _last_trouble_at
        delay = min(self.longest_delay, self._delay)
        self._delay = min(self.longest_delay, self._delay * 2)
        database_trouble.send_robust(Outage, error=error, doing=self.doing, retry_in=delay)
        db.connection().close()
        return delay * random.uniform(0.8, 1.2)  # noqa: S311

    def over(self) -> None:
        """Tell of the recovery, if there was any trouble; a step without a query proves none."""
        db.connection().queries_log.clear()
        if self._began_at is not None and db.connection().connection is not None:
            after = timedelta(seconds=time.monotonic() - self._began_at)
            self._began_at, self._delay = None, FIRST_DELAY
            database_recovered.send_robust(Outage, doing=self.doing, after=after)


def ride_out(
    step: Callable[[], R],
    *,
    doing: str,
    stopping: Event,
    unless: tuple[type[Error], ...] = (),
) -> R:
    """Run `step` until the database lets it through.

    Raises at once what `unless` names, and `Stopped` when `stopping` is set meanwhile.
    """
    outage = Outage(doing)
    while True:
        try:
            result = step()
        except unless:
            raise
        except Error as error:
            if stopping.wait(outage.trouble(error)):
                raise Stopped from error
        else:
            outage.over()
            return result


def is_to_blame(error: BaseException, *, since: float) -> bool:
    """Whether a handler failed because the database went away; `since` is when it began to run.

    A lost connection alone proves nothing: the handler may be what breaks it each time. There
    must be another witness: somebody else in this process, a server that can't be reached, or
    one that has been started in the meantime.
    """
    connection = db.connection()
    if connection.vendor != "postgresql" or not _is_about_the_connection(error):
        return False
    connection.close()
    if _last_trouble_at >= since:
        return True
    try:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT extract(epoch FROM clock_timestamp() - pg_postmaster_start_time())"
            )
            (seconds_up,) = cursor.fetchone()
    except Error:
        return True
    return float(seconds_up) < time.monotonic() - since


def _is_about_the_connection(error: BaseException | None) -> bool:
    for one in causes(error):
        if isinstance(one, OperationalError | InterfaceError):
            sqlstate = getattr(one.__cause__, "sqlstate", None)
            return sqlstate is None or sqlstate.startswith(("08", "57P"))
    return False
