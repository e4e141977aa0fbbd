"""A process that listens to the others, for as long as a test says."""

from forge_jobs.conf import conf
from forge_jobs.runtime.registration import hear
from forge_jobs.services.hearing import Hearing


class Listener:
    """Begins at 0 seconds; listens with each heartbeat."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.hearing = Hearing(lambda: self.elapsed)
        self.hearing.listen(hear().said)

    def listen_until(self, seconds: float) -> Hearing:
        while self.elapsed <= seconds:
            self.hearing.listen(hear().said)
            self.elapsed += conf().heartbeat.total_seconds()
        self.elapsed = seconds
        self.hearing.listen(hear().said)
        return self.hearing
