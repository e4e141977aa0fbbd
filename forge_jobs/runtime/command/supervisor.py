"""Keeps several processes alive: starts them, replaces those that die, passes signals on."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from queue import Empty, SimpleQueue
from types import FrameType
from typing import Final

from forge_jobs.runtime.command.burials import Burials
from forge_jobs.runtime.command.shutdown import (
    AT_ONCE,
    FAILED,
    JOBS_DIED,
    ORDERLY,
    RETIRED,
    requests,
)
from forge_jobs.runtime.retirement import Notices
from forge_jobs.signals import child_ended, child_started, child_unborn

TICK_SECONDS: Final = 0.1
MOST_AT_A_PLACE: Final = 2
"""One that retires and its successor: with one more for each long job, they would become many."""

UNBORN_SECONDS: Final = 5.0
BURIAL_SECONDS: Final = 10.0
FIRST_DELAY: Final = 0.5
SHORT_LIFE_SECONDS: Final = 2.0
"""Who dies younger than this, as its predecessor did, makes its successor wait."""

STOPS: Final = (signal.SIGTERM, AT_ONCE, signal.SIGKILL)
"""What the first, second and third request to stop become for the processes."""


@dataclass(frozen=True, kw_only=True)
class Child:
    """`early_deaths` counts how many before it, in a row, died young.

    One that is to tell of its arrival has not been born before that.
    """

    number: int
    name: str
    pid: int
    born_at: float
    is_awaited: bool = False
    early_deaths: int = 0


@dataclass(frozen=True, kw_only=True)
class Birth:
    """What a new process is told: it gives back the jobs of whoever had its name before.

    It begins to work after `delay` seconds.
    """

    number: int
    name: str
    delay: float = 0.0
    is_first: bool = True


class Supervisor:
    """Has no thread and no connection, so that it can fork at any time.

    `start(birth)` starts a process and returns its pid; `bury(names)` starts one that gives back
    the jobs of processes that died and are not replaced; it ends with `JOBS_DIED` if any of them
    became dead letters, else with 0. Who retires says so by `notices`, and
    finishes beside its successor. Where there are `arrivals`, each process tells there that it has
    loaded all that it needs.
    """

    def __init__(
        self,
        *,
        name: str,
        processes: int,
        start: Callable[[Birth], int],
        bury: Callable[[list[str]], int],
        notices: Notices,
        arrivals: Notices | None = None,
        drain: bool,
        longest_delay: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self.processes = processes
        self.start = start
        self.burials = Burials(bury)
        self.notices = notices
        self.arrivals = arrivals
        self.drain = drain
        self.longest_delay = longest_delay
        self.clock = clock
        self.children: dict[int, Child] = {}
        self.code = 0
        self._retiring: set[int] = set()
        self._stops = 0
        self._received: SimpleQueue[int] = SimpleQueue()
        self._unborn: list[tuple[float, Birth, int]] = []

    def run(self) -> int:
        """Returns the exit code, once all processes have ended."""
        for stop in requests():
            signal.signal(stop, self._receive)
        # Whoever started us may ignore it, and then the system would bury our dead.
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for number in range(1, self.processes + 1):
            self.begin(Birth(number=number, name=f"{self.name}.{number}"))
        while self.children or self._unborn:
            self.make_way(self.notices.take(within=TICK_SECONDS))
            self.welcome()
            self.pass_on_signals()
            self.see_to_the_dead()
            self.see_to_the_unborn()
        self.finish_burials()
        return self.code

    def begin(self, birth: Birth, *, early_deaths: int = 0) -> None:
        try:
            pid = self.start(birth)
        except OSError as error:  # no memory, or too many processes
            self._unborn.append((self.clock() + UNBORN_SECONDS, birth, early_deaths))
            child_unborn.send_robust(Supervisor, name=birth.name, error=error)
            return
        self.children[pid] = Child(
            number=birth.number,
            name=birth.name,
            pid=pid,
            born_at=self.clock() + birth.delay,
            is_awaited=self.arrivals is not None,
            early_deaths=early_deaths,
        )
        child_started.send_robust(Supervisor, child=self.children[pid], delay=birth.delay)

    def welcome(self) -> None:
        """Count the lives of those that have arrived from now on."""
        for pid in self.arrivals.take(within=0.0) if self.arrivals else ():
            if child := self.children.get(pid):
                self.children[pid] = replace(child, born_at=self.clock(), is_awaited=False)

    def make_way(self, retiring: Iterable[int]) -> None:
        """Start the successors of those that retire, who may take long to finish what they run."""
        for pid in retiring:
            child = self.children.get(pid)
            if not child or pid in self._retiring:
                continue
            self._retiring.add(pid)
            if not self._stops and len(self._at(child.number)) < MOST_AT_A_PLACE:
                self.begin(Birth(number=child.number, name=self._other_name(child), is_first=False))

    def pass_on_signals(self) -> None:
        try:
            self._received.get_nowait()
        except Empty:
            return
        number = STOPS[min(self._stops, len(STOPS) - 1)]
        self._stops += 1
        for pid in self.children:
            os.kill(pid, number)

    def see_to_the_dead(self) -> None:
        """Of our own and, for a first process of a container, those that were left to it."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            code = os.waitstatus_to_exitcode(status)
            if child := self.children.pop(pid, None):
                self._retiring.discard(pid)
                self.see_to(child, code)
            elif self.burials.have_killed(pid, code) and self.drain:
                self.code = self.code or JOBS_DIED

    def see_to(self, child: Child, code: int) -> None:
        is_retired = code in (ORDERLY + RETIRED, ORDERLY + RETIRED + JOBS_DIED)
        is_well = is_retired or code in (ORDERLY, ORDERLY + JOBS_DIED)
        code -= ORDERLY * is_well + RETIRED * is_retired
        child_ended.send_robust(Supervisor, child=child, code=code, is_well=is_well)
        is_over = self._stops > 0 or (self.drain and is_well and not is_retired)
        if is_over or is_well:
            self.code = self.code or (code if is_well else FAILED)
        if is_over:
            if not is_well:
                self.burials.put_off(child.name)
            return
        if self._has_successor(child):
            if not is_well:
                self.burials.begin([child.name])
            return
        age = self.clock() - child.born_at
        was_waiting = age < 0 and code < 0  # it was killed while it did nothing
        deaths = child.early_deaths
        if not was_waiting:
            was_young = child.is_awaited or age < SHORT_LIFE_SECONDS
            deaths = deaths + 1 if was_young and not is_well else 0
        delay = min(self.longest_delay, FIRST_DELAY * 2 ** (deaths - 2)) if deaths > 1 else 0.0
        successor = Birth(number=child.number, name=child.name, delay=delay, is_first=False)
        self.begin(successor, early_deaths=deaths)

    def see_to_the_unborn(self) -> None:
        """Try once more to start what could not be started; nothing is started at a stop."""
        waiting, self._unborn = self._unborn, []
        for due_at, birth, early_deaths in waiting:
            if self._stops:
                self.burials.put_off(birth.name)
            elif due_at > self.clock():
                self._unborn.append((due_at, birth, early_deaths))
            else:
                self.begin(birth, early_deaths=early_deaths)

    def finish_burials(self) -> None:
        """Of those too that died at the end."""
        self.burials.begin_the_last()
        deadline = self.clock() + BURIAL_SECONDS
        while self.burials.are_under_way:
            if self.clock() > deadline:
                self.burials.break_off()
            time.sleep(TICK_SECONDS)
            self.see_to_the_dead()

    def _at(self, number: int) -> list[Child]:
        return [child for child in self.children.values() if child.number == number]

    def _has_successor(self, child: Child) -> bool:
        """Whether another has its place already, or is to have it."""
        is_awaited = any(birth.number == child.number for _, birth, _ in self._unborn)
        return is_awaited or any(one.pid not in self._retiring for one in self._at(child.number))

    def _other_name(self, child: Child) -> str:
        """Of the two names at a place, by turns, the one that it does not have."""
        first = f"{self.name}.{child.number}"
        return f"{first}b" if child.name == first else first

    def _receive(self, number: int, frame: FrameType | None) -> None:
        self._received.put(number)
