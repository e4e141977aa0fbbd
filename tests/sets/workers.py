"""Running jobs with a real worker until all of them have ended."""

from forge_jobs.models import Job
from tests.running import engine, eventually, running


def run_all(*, threads: int = 1) -> None:
    """Retries, too, where `drain()` would leave them."""
    with running(engine(threads=threads)):
        eventually(lambda: not Job.objects.unfinished().exists())
