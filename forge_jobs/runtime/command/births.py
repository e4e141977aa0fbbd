"""How the processes of a supervisor begin: as forks of it, or as fresh interpreters."""

from __future__ import annotations

import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Protocol, Self

from django.db import Error

from forge_jobs.exceptions import ChildUnfit, ProcessNameTaken
from forge_jobs.runtime.command.shutdown import (
    FAILED,
    JOBS_DIED,
    ORDERLY,
    STOPS,
    flush,
    leave_at_once,
)
from forge_jobs.runtime.command.supervisor import Birth
from forge_jobs.runtime.registration import reclaim_predecessor
from forge_jobs.runtime.retirement import Notice, Notices

ORDERS: Final = "FORGE_JOBS_ORDERS"
"""The environment variable that tells a fresh interpreter what a supervisor has started it for."""

WAITING: Final = Path(__file__).with_name("waiting.py")


class Births(Protocol):
    """Each starts a process and returns its pid, or raises `OSError`."""

    @property
    def arrivals(self) -> Notices | None:
        """Where processes tell that they have loaded all that they need, if they do."""

    def start(self, birth: Birth) -> int: ...

    def bury(self, names: list[str]) -> int:
        """It gives back the jobs of processes that died, and tells by its exit code if any did."""


class Forks:
    """They have all that is loaded already, and share its memory as long as nobody changes it."""

    arrivals = None

    def __init__(self, life: Callable[[Birth], int]) -> None:
        self.life = life

    def start(self, birth: Birth) -> int:
        return fork(lambda: self.life(birth))

    def bury(self, names: list[str]) -> int:
        return fork(lambda: burial_code(names))


class FreshInterpreters:
    """They have nothing of the supervisor's: this very command is started anew for each."""

    def __init__(self, *, notices: Notices) -> None:
        self.notices, self.arrivals = notices, Notices()

    def start(self, birth: Birth) -> int:
        orders = self._orders(birth=replace(birth, delay=0.0))
        if not birth.delay:
            return self._spawn(self.command(), orders)
        waiting = [sys.executable, "-I", "-S", str(WAITING), str(birth.delay), str(ORDERLY)]
        return self._spawn([*waiting, *self.command()], orders)

    def bury(self, names: list[str]) -> int:
        return self._spawn(self.command(), self._orders(names=names))

    def command(self) -> list[str]:
        """As it was given, with what it says to the interpreter itself."""
        return [sys.executable, *sys.orig_argv[1:]]

    def _orders(self, *, birth: Birth | None = None, names: Sequence[str] = ()) -> Orders:
        return Orders(
            supervisor=os.getpid(),
            notices=self.notices.handed_on(),
            arrivals=self.arrivals.handed_on(),
            birth=birth,
            names=list(names),
        )

    def _spawn(self, command: list[str], orders: Orders) -> int:
        flush()
        environment = {**os.environ, ORDERS: json.dumps(asdict(orders))}
        # What asks it to stop waits until it knows what to do about that.
        return os.posix_spawn(command[0], command, environment, setsigmask=STOPS)


@dataclass(frozen=True)
class Ties:
    """What a process has of its supervisor: how to know it, and to tell it something."""

    supervisor: int
    make_way: Callable[[], None]
    arrive: Callable[[], None] = lambda: None


@dataclass(frozen=True, kw_only=True)
class Orders:
    """Of a fresh interpreter: to live, if there is a birth, else to bury.

    `notices` and `arrivals` are files that it has open.
    """

    supervisor: int
    notices: int
    arrivals: int
    birth: Birth | None
    names: list[str]

    @classmethod
    def received(cls) -> Self | None:
        """Those of this process, unless nobody has given it any; for what it starts has none."""
        if not (text := os.environ.pop(ORDERS, "")):
            return None
        given = json.loads(text)
        given["birth"] = Birth(**given["birth"]) if given["birth"] else None
        return cls(**given)

    def ties(self) -> Ties:
        return Ties(self.supervisor, Notice(self.notices).give, Notice(self.arrivals).give)


def fork(life: Callable[[], int]) -> int:
    """Run `life` in a process of its own, which ends with the code it returns; gives its pid."""
    flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)  # until the child knows what to do about them
    is_child = False
    try:
        is_child = not (pid := os.fork())
    finally:
        if not is_child:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    if not is_child:
        return pid
    code = FAILED
    try:
        code = life()
    except BaseException as error:  # nothing may get out into what was the supervisor
        print_error(error)
    finally:
        leave_at_once(code)


def print_error(error: BaseException) -> None:
    match error:
        case ProcessNameTaken() | ChildUnfit() | Error():
            sys.stderr.write(f"{str(error).strip()}\n")
        case _:
            traceback.print_exception(error)


def burial_code(names: list[str]) -> int:
    """The exit code of a process that buries."""
    return JOBS_DIED if bury(names) else 0


def bury(names: list[str]) -> int:
    """Give back what processes of this host were running that are gone; how many jobs died."""
    return sum(map(reclaim_predecessor, names))
