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
LONGEST_DELAY: Final = 30.0


class Stopped(Exception):
    """The process stopped before the database came back."""


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
    began, delay, is_troubled = time.monotonic(), FIRST_DELAY, False
    while True:
        try:
            result = step()
        except unless:
            raise
        except Error as error:
            database_trouble.send_robust(ride_out, error=error, doing=doing, retry_in=delay)
            is_troubled = True
        else:
            db.connection().queries_log.clear()
            if is_troubled:
                after = timedelta(seconds=time.monotonic() - began)
                database_recovered.send_robust(ride_out, doing=doing, after=after)
            return result
        db.connection().close()
        if stopping.wait(delay * random.uniform(0.8, 1.2)):  # noqa: S311
            raise Stopped
        delay = min(LONGEST_DELAY, delay * 2)
