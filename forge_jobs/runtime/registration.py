"""Signing a process on and off, so that its claims can be told from others'."""

import os
import secrets
import socket
import time
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

import psutil
from django.db import IntegrityError, transaction

from forge_jobs import __version__, clock, db
from forge_jobs.clock import Reading
from forge_jobs.conf import conf
from forge_jobs.exceptions import ProcessNameTaken
from forge_jobs.models import Job, Process, Queue, RateLimitBudget
from forge_jobs.services.reaper import reclaim

CLOCK_TICK: Final = 0.1

SLOW_ANSWER: Final = 1.0
"""Seconds; one that took longer, or a good part of what a process may be silent, says little."""

LOOKS: Final = 50
LOOK_SECONDS: Final = 0.02


def default_name() -> str:
    """A name that no other process has, not even in a container of the same host name."""
    return f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(2)}"


def sow_declared() -> None:
    """Store the queues and budgets of the settings, as far as there are no rows that say more."""
    Queue.objects.sow({name: one.columns() for name, one in conf().queues.items()})
    RateLimitBudget.objects.sow({name: one.columns() for name, one in conf().budgets.items()})


def sign_on(name: str, **facts: Any) -> Process:
    """Store this process under a name that is its own on this host.

    A dead predecessor of the same name is forgotten, and its jobs are given back. Raises
    `ProcessNameTaken` if the predecessor lives.
    """
    reclaim_predecessor(name)
    host = socket.gethostname()
    try:
        with transaction.atomic(using=db.connection().alias):
            process: Process = Process.objects.create(
                name=name,
                host=host,
                pid=(pid := os.getpid()),
                seconds_after_boot=_born_after_boot(pid),
                version=__version__,
                started_at=(now := clock.now()),
                heartbeat_at=now,
                **facts,
            )
    except IntegrityError:
        raise ProcessNameTaken(f"A process named {name!r} has just started on {host}.") from None
    return process


def reclaim_predecessor(name: str) -> int:
    """Give back the jobs of a dead process of this host; raises `ProcessNameTaken` if it lives.

    PostgreSQL may need a moment to see that it is gone, and to drop its locks. Returns how many
    of the jobs became dead letters.
    """
    host, died = socket.gethostname(), 0
    for _ in range(LOOKS):
        predecessor = Process.objects.filter(host=host, name=name).first()
        if predecessor is None:
            break
        if _is_alive(predecessor):
            raise ProcessNameTaken(
                f"A process named {name!r} runs on {host} already, with pid {predecessor.pid}. "
                f"Stop it, or choose another --name."
            )
        died += db.unless_locked(partial(reclaim, predecessor, now=clock.now())).died
        time.sleep(LOOK_SECONDS)
    return died


def sign_on_again(process: Process, *, now: datetime) -> None:
    """Store a process that others had given up as lost, as the one it was.

    Its claims are gone, unless it made them since. Raises `ProcessNameTaken`.
    """
    process.heartbeat_at = now
    try:
        with transaction.atomic(using=db.connection().alias):
            process.save(using=db.connection().alias, force_insert=True)
    except IntegrityError:
        raise ProcessNameTaken(f"Another process has taken the name {process.name!r}.") from None


def sign_off(process: Process) -> bool:
    """Forget a process, unless some of its jobs are still to be given back; tells which."""
    if Job.objects.claimed_by(process).exists():
        return False
    process.delete(using=db.connection().alias)
    return True


class Heard(NamedTuple):
    """What each process last said, by its key, and what time it was by the database."""

    said: Mapping[int, datetime]
    moment: datetime
    at: float
    """The elapsed time when the answer had come: a clock that goes by it is never ahead."""
    took: float
    """Seconds."""

    @property
    def tells_time(self) -> bool:
        return self.took < min(SLOW_ANSWER, conf().process_timeout.total_seconds() / 20)


def hear() -> Heard:
    """Ask for the beats of all and for the time, in one statement."""
    before = clock.elapsed()
    with db.connection().cursor() as cursor:
        moment, said = db.twin().beats(cursor)
    after = clock.elapsed()
    return Heard(said, moment, at=after, took=after - before)


def measure_clock() -> None:
    """Go by the database's time from now on, whatever it is."""
    if (heard := hear()).tells_time:
        clock.measured.trust(heard.moment, at=heard.at)


def compare_clock(heard: Heard) -> Reading | None:
    """Judge the database's time by what it should be; None if it was told too slowly."""
    return clock.measured.hear(heard.moment, at=heard.at) if heard.tells_time else None


def _is_alive(process: Process) -> bool:
    """Whether the OS process still exists; only its own host can tell."""
    try:
        return abs(_born_after_boot(process.pid) - process.seconds_after_boot) < CLOCK_TICK
    except psutil.Error:
        return False


def _born_after_boot(pid: int) -> float:
    """When the OS started a process; unlike its wall-clock time, this stays when clocks step.

    Both moments are of the wall clock, and so must not have a step between them.
    """
    while True:
        booted = psutil.boot_time()
        born = psutil.Process(pid).create_time()
        if psutil.boot_time() == booted:
            return born - booted
