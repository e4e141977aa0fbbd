"""What the tables say of the whole cluster, at one moment."""

from __future__ import annotations

from datetime import datetime

from prometheus_client import Metric

from forge_jobs import db
from forge_jobs.contrib.prometheus import fleet, queues, work
from forge_jobs.dashboard.counted import Counted


def families(*, now: datetime) -> list[Metric]:
    """Asks the database each time: what this process remembers has no part in it."""
    with db.snapshot():
        return [
            *work.families(Counted.read()),
            *queues.families(now=now),
            *fleet.families(now=now),
        ]
