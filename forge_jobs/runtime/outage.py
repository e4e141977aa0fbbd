"""Riding out trouble with the database: say so, wait longer each time, carry on."""

import random
import time
from collections.abc import Callable
from datetime import timedelta
from threading import Event
from typing import Final, TypeVar

from django.db import DataError, Error, IntegrityError

from forge_jobs import db
from forge_jobs.signals import database_recovered, database_trouble

R = TypeVar("R")

FIRST_DELAY: Final = 0.1
LONGEST_DELAY: Final = 30.0


class Stopped(Exception):
    """The process stopped before the database came back."""


def ride_out(step: Callable[[], R], *, doing: str, stopping: Event) -> R:
    """Run `step` until the database lets it through.

    Errors that come of the data itself are raised at once: waiting would not mend them. Raises
    `Stopped` when `stopping` is set meanwhile.
    """
    since, delay = time.monotonic(), FIRST_DELAY
    troubled = False
    while True:
        try:
            result = step()
        except (DataError, IntegrityError):
            raise
        except Error as error:
            database_trouble.send_robust(ride_out, error=error, doing=doing, retry_in=delay)
            troubled = True
        else:
            if troubled:
                after = timedelta(seconds=time.monotonic() - since)
                database_recovered.send_robust(ride_out, doing=doing, after=after)
            return result
        db.connection().close()
        if stopping.wait(delay * random.uniform(0.8, 1.2)):  # noqa: S311
            raise Stopped
        delay = min(LONGEST_DELAY, delay * 2)
