"""Sees to it that no share of a queue's workers is lost with the process that held it."""

from datetime import datetime

from forge_jobs.conf import conf
from forge_jobs.models import Share
from forge_jobs.services.base import Service


class Balancer(Service):
    """A process and its shares go together; one of an older release leaves them to whoever leads.

    The processes split the slots among themselves, each by changing its own share alone.
    """

    def __init__(self) -> None:
        self.interval = conf().process_timeout

    def run_once(self, *, now: datetime) -> int:
        return Share.objects.forget_lost()
