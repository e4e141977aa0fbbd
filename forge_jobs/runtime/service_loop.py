"""A thread that runs one service for as long as the process lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from forge_jobs import clock
from forge_jobs.runtime.outage import ride_out
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.services.base import Service

if TYPE_CHECKING:
    from forge_jobs.runtime.engine import Engine

SHORTEST_REST: Final = 0.01


class ServiceLoop(EngineThread):
    def __init__(self, engine: Engine, service: Service) -> None:
        self.service = service
        name = type(service).__name__.lower()
        self.doing = f"running the {name}"
        super().__init__(engine, name)

    def work(self) -> None:
        while not self.stopping.wait(self.step()):
            pass

    def step(self) -> float:
        """Run the service once; returns for how many seconds to rest."""
        return ride_out(self._step, doing=self.doing, stopping=self.stopping)

    def _step(self) -> float:
        self.service.run_once(now=clock.now())
        return max(SHORTEST_REST, self.service.rest(now=clock.now()).total_seconds())
