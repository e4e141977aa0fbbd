"""What listeners share: they hear of other sessions' enqueues until they are told to stop."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import ClassVar, Final

from forge_jobs import db
from forge_jobs.signals import database_trouble
from forge_jobs.wake.arrivals import Arrivals

RECONNECT_SECONDS: Final = 2.0


class Listener(Thread):
    """Rings this process's bells; while it can't, the process lives by polling."""

    method: ClassVar[str]

    def __init__(self) -> None:
        super().__init__(name="forge_jobs-listener", daemon=True)
        self.stopping = Event()
        self.is_deaf = False
        self.hears = False
        """Whether what people ask of processes is heard of at once."""
        self._arrivals: Arrivals | None = None

    def run(self) -> None:
        while not self.stopping.is_set():
            try:
                self.listen()
            except Exception as error:
                database_trouble.send_robust(
                    type(self), error=error, doing="listening", retry_in=RECONNECT_SECONDS
                )
                db.connection().close()
                self.stopping.wait(RECONNECT_SECONDS)
        db.connection().close()

    def listen(self) -> None:
        """Ring bells until `stopping`; raises a database error when it can't."""
        raise NotImplementedError

    @contextmanager
    def arrivals(self) -> Iterator[Arrivals]:
        """What to wait with; a stop ends the wait."""
        with Arrivals() as self._arrivals:
            yield self._arrivals

    def stop(self) -> None:
        self.stopping.set()
        if self._arrivals:
            self._arrivals.interrupt()
