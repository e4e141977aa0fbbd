"""A thread that runs one service for as long as the process lives."""

from threading import Event, Thread

from forge_jobs import clock, db
from forge_jobs.runtime.outage import Stopped, ride_out
from forge_jobs.services.base import Service


class ServiceLoop(Thread):
    def __init__(self, service: Service) -> None:
        self.service = service
        self.doing = f"running the {type(service).__name__.lower()}"
        super().__init__(name=f"forge_jobs-{type(service).__name__.lower()}", daemon=True)
        self.stopping = Event()

    def run(self) -> None:
        try:
            while not self.stopping.wait(self.step()):
                pass
        except Stopped:
            pass
        finally:
            db.connection().close()

    def step(self) -> float:
        """Run the service once; returns for how many seconds to rest."""
        return ride_out(self._step, doing=self.doing, stopping=self.stopping)

    def stop(self) -> None:
        self.stopping.set()

    def _step(self) -> float:
        self.service.run_once(now=clock.now())
        return max(0.0, self.service.rest(now=clock.now()).total_seconds())
