"""A thread that runs services by turns, each when it is due."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import ClassVar, Final

from django.db import Error

from forge_jobs import clock
from forge_jobs.runtime import sessions
from forge_jobs.runtime.outage import Outage, Stopped
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.services.base import Service
from forge_jobs.services.leader import Leader
from forge_jobs.signals import service_failed
from forge_jobs.wake import local

SHORTEST_REST: Final = 0.01
LONGEST_REST: Final = 60.0
FAULTY_REST: Final = 30.0
NEW_LEADERS_REST: Final = 0.5
"""Seconds, at most."""

UNSERVED_SECONDS: Final = 2.0
"""Of leaders that all retire before they have rested, one begins at once, about so often."""

NEVER: Final = float("inf")
BEATS: Final = (1.0, 0.5)


class ServiceLoop(EngineThread):
    """One thread and one connection for all; trouble with one service does not hold up the rest."""

    rings_for: ClassVar[str] = local.STOP
    """What makes its urgent services run at once."""

    def __init__(
        self, name: str, services: Sequence[Service], *, fail: Callable[[str], None]
    ) -> None:
        super().__init__(name, fail=fail)
        phase = random.random()  # noqa: S311 - no secret
        self.turns = [Turn(service, phase=phase) for service in services]
        self.bell = local.Bell(only=self.rings_for)
        self.has_looked = Event()
        """Set after its first round, or at its end: then its session is there for others."""

    def work(self) -> None:
        sessions.lend_at_rest()
        local.subscribe(self.bell)
        try:
            while not self.stopping.is_set():
                seconds = self.step()
                sessions.rest()
                self.has_looked.set()
                if self.bell.wait(seconds):
                    self.hurry()
        finally:
            self.has_looked.set()
            local.unsubscribe(self.bell)

    def stop(self) -> None:
        super().stop()
        self.bell.ring(self.rings_for)

    def hurry(self) -> None:
        """Let those be due at once that wait for the bell."""
        for turn in self.turns:
            if turn.service.is_urgent:
                turn.due_at = turn.held_until

    def step(self) -> float:
        """Run what is due; returns for how many seconds to rest."""
        for turn in self.turns:
            if turn.due_at <= time.monotonic() and not self.stopping.is_set():
                self.take(turn)
        rest = min(turn.due_at for turn in self.turns) - time.monotonic()
        return min(LONGEST_REST, max(SHORTEST_REST, rest))

    def take(self, turn: Turn) -> None:
        turn.run()


class TolerantLoop(ServiceLoop):
    """Tells of a service with a fault in it, and leaves it alone for a while."""

    def take(self, turn: Turn) -> None:
        try:
            super().take(turn)
        except Stopped:
            raise
        except Exception as error:
            turn.due_at = turn.held_until = time.monotonic() + FAULTY_REST
            service_failed.send_robust(type(self), service=turn.name, error=error)


class LeaderLoop(TolerantLoop):
    """Runs while this process leads.

    Were a process to stop because of a fault, the next leader would be the next to fall.
    """

    rings_for = local.DUE

    def __init__(
        self,
        name: str,
        services: Sequence[Service],
        *,
        leader: Leader,
        fail: Callable[[str], None],
    ) -> None:
        super().__init__(name, services, fail=fail)
        self._leader = leader
        self._begins_at = NEVER

    def step(self) -> float:
        """Run what is due, but not at once: whoever leads for a moment need not look at all."""
        if not self._leader.leads:
            self._begins_at = NEVER
            return LONGEST_REST
        moment = time.monotonic()
        if self._begins_at == NEVER:
            drawn = random.uniform(0.0, UNSERVED_SECONDS)  # noqa: S311 - no secret
            self._begins_at = moment + min(NEW_LEADERS_REST, drawn)
        return super().step() if moment >= self._begins_at else self._begins_at - moment


class Turn:
    """When a service is to run next."""

    def __init__(self, service: Service, *, phase: float = 0.0) -> None:
        self.service = service
        self._phase = phase
        self.name = type(service).__name__.lower()
        self.due_at = time.monotonic() + service.rests_at_first.total_seconds()
        self.held_until = 0.0
        """No bell makes it due before."""
        self.outage = Outage(
            f"running the {self.name}",
            longest_delay=max(1.0, service.interval.total_seconds()),
        )

    def run(self) -> None:
        try:
            self.service.run_once(now=clock.now())
            rest = self.service.rest(now=clock.now()).total_seconds()
        except Error as error:
            rest = self.outage.trouble(error)
        else:
            self.outage.over()
            self.due_at = self._following(rest)
            return
        self.due_at = time.monotonic() + rest

    def _following(self, rest: float) -> float:
        """Those that rest for so long wake up together: one start of the thread does for them."""
        due_at = time.monotonic() + rest
        beat = next((beat for beat in BEATS if rest >= beat), 0.0)
        return due_at - (due_at - self._phase) % beat if beat else due_at
