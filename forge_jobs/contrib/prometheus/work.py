"""What came of jobs since counting began: counters and histograms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from prometheus_client import Metric

from forge_jobs.contrib.prometheus.families import Said
from forge_jobs.dashboard.counted import Counted
from forge_jobs.metrics.tally import COUNTS

QUEUE: Final = ("queue",)
WORK: Final = (*QUEUE, "kind")
OUTCOMES: Final = tuple(name for name in COUNTS if name not in ("enqueued", "started"))

ENQUEUED: Final = Said("enqueued", "Jobs that were enqueued.", WORK)
RUNS: Final = Said("runs", "Runs that ended, by what came of them.", (*WORK, "outcome"))
RUN_TIME: Final = Said("run_time_seconds", "How long handlers ran.", WORK)
WAIT: Final = Said("wait_seconds", "From when jobs were due to when they were run.", QUEUE)
LATENCY: Final = Said("latency_seconds", "From the enqueue of jobs to their end.", QUEUE)


def families(counted: Counted) -> Iterator[Metric]:
    """A count is told even while it is zero, so that its first rise is seen as one."""
    works = counted.counts.items()
    yield ENQUEUED.counter((work, counts["enqueued"]) for work, counts in works)
    yield RUNS.counter(
        ((*work, outcome), counts[outcome]) for work, counts in works for outcome in OUTCOMES
    )
    yield RUN_TIME.histogram(counted.run_times.items())
    yield WAIT.histogram(((queue,), waits) for queue, waits in counted.waits.items())
    yield LATENCY.histogram(((queue,), taken) for queue, taken in counted.latencies.items())
