"""Waiting for the end of jobs and batches, from outside of any handler."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final, TypeVar

from asgiref.sync import sync_to_async
from django.core.exceptions import ObjectDoesNotExist

from forge_jobs import db
from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import CantWait
from forge_jobs.handlers.inside import is_inside

T = TypeVar("T")

FIRST_PAUSE: Final = 0.005
LONGEST_PAUSE: Final = 0.25
GROWTH: Final = 1.3


def join(look: Callable[[], T | None], *, what: str, timeout: timedelta | float | None) -> T:
    """Look again and again, less and less often, until there is something to see.

    Raises `TimeoutError` after `timeout`, a timedelta or seconds, and `CantWait` where what is
    waited for could never come to be.
    """
    if (seen := _seen(look, what)) is not None:
        return seen
    _refuse_in_vain(what)
    for pause in _pauses(timeout):
        time.sleep(pause)
        if (seen := _seen(look, what)) is not None:
            return seen
    raise _too_late(what, timeout)


async def ajoin(look: Callable[[], T | None], *, what: str, timeout: timedelta | float | None) -> T:
    """The same; no thread waits."""
    asked = sync_to_async(_seen)
    if (seen := await asked(look, what)) is not None:
        return seen
    await sync_to_async(_refuse_in_vain)(what)
    for pause in _pauses(timeout):
        await asyncio.sleep(pause)
        if (seen := await asked(look, what)) is not None:
            return seen
    raise _too_late(what, timeout)


def _seen(look: Callable[[], T | None], what: str) -> T | None:
    try:
        return look()
    except ObjectDoesNotExist:
        raise CantWait(
            f"{what} is gone, and with it how it ended: it was deleted, or succeeded in a queue "
            f"that keeps no successes."
        ) from None


def _refuse_in_vain(what: str) -> None:
    if is_inside():
        raise CantWait(
            f"A handler can't wait for {what}: workers that wait could be all there are. Enqueue "
            f"what follows with after=, or return Snoozed."
        )
    if db.connection().in_atomic_block:
        raise CantWait(
            f"Can't wait for {what} in a transaction: what was enqueued in it is not committed, so "
            f"that no worker sees it. Wait after the commit."
        )


def _pauses(timeout: timedelta | float | None) -> Iterator[float]:
    end = None
    if timeout is not None:
        end = time.monotonic() + as_timedelta(timeout, field="timeout").total_seconds()
    pause = FIRST_PAUSE
    while end is None or time.monotonic() < end:
        yield pause if end is None else min(pause, max(0.0, end - time.monotonic()))
        pause = min(LONGEST_PAUSE, pause * GROWTH)


def _too_late(what: str, timeout: timedelta | float | None) -> TimeoutError:
    return TimeoutError(f"{what} had not ended after {timeout} s.")
