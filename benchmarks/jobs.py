"""The no-op job of forge_jobs, where its autodiscovery finds it."""

from benchmarks.meter import started
from forge_jobs import job


@job(kind="bench.noop")
def noop(moment: int = 0) -> None:
    started(moment)
