"""What came of jobs since counting began: counters and histograms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import Metric

from forge_jobs.contrib.prometheus.families import Said
from forge_jobs.dashboard.counted import Counted
from forge_jobs.metrics.tally import COUNTS

WORK: Final = ("queue", "kind")
OUTCOMES: Final = tuple(name for name in COUNTS if name not in ("enqueued", "started"))

ENQUEUED: Final = Said("enqueued", "Jobs that were enqueued.", WORK)
STARTED: Final = Said("runs_started", "Runs that began.", WORK)
RUNS: Final = Said("runs", "Runs that ended, by what came of them.", (*WORK, "outcome"))
RUN_TIME: Final = Said("run_time_seconds", "How long handlers ran.", WORK)
WAIT: Final = Said("wait_seconds", "From when a job was due to when it was run.", ("queue",))
LATENCY: Final = Said("latency_seconds", "From a job's enqueue to its end.", ("queue",))


def families(counted: Counted) -> Iterator[Metric]:
    """A count is told even while it is zero, so that its first rise is one."""
    works, queues = dict(sorted(counted.by_work.items())), dict(sorted(counted.by_queue.items()))
    yield ENQUEUED.counter((work, works[work].counts["enqueued"]) for work in works)
    yield STARTED.counter((work, works[work].counts["started"]) for work in works)
    yield RUNS.counter(
        ((*work, outcome), works[work].counts[outcome]) for work in works for outcome in OUTCOMES
    )
    yield RUN_TIME.histogram((work, works[work].durations["run_time"]) for work in works)
    for said, name in ((WAIT, "wait"), (LATENCY, "latency")):
        yield said.histogram(((queue,), queues[queue].durations[name]) for queue in queues)
