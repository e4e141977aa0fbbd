"""What the tables say of the whole cluster, at one moment."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from prometheus_client import Metric
from prometheus_client.registry import Collector

from forge_jobs import db
from forge_jobs.contrib.prometheus import fleet, queues, work
from forge_jobs.dashboard.counted import Counted


class Cluster(Collector):
    """Asks the database each time: what this process remembers has no part in it."""

    def __init__(self, *, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[Metric]:
        with db.snapshot():
            found = [
                *work.families(Counted.read()),
                *queues.families(now=self._now),
                *fleet.families(now=self._now),
            ]
        return iter(found)
