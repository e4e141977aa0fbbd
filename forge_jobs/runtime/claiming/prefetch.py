"""How many jobs to hold ready for the workers, by the run times of recent jobs."""

from typing import Final

PREFETCH_SECONDS: Final = 0.05
SHORTEST_PREFETCH_SECONDS: Final = 0.1
"""For all threads together: what a claim costs does not go by how many they are."""

LARGEST_PREFETCH: Final = 500


class Prefetch:
    """About `PREFETCH_SECONDS` of work for each; none once jobs take longer than that."""

    def __init__(self, *, threads: int) -> None:
        self.jobs = 0
        self.threads = threads
        self._ended = 0
        self._seconds = 0.0

    def update(self, *, jobs: int, seconds: float) -> None:
        """Learn from how many runs have ended so far, and the seconds they took together."""
        if jobs > self._ended:
            each = max(1e-6, (seconds - self._seconds) / (jobs - self._ended))
            ahead = max(self.threads * PREFETCH_SECONDS, SHORTEST_PREFETCH_SECONDS) / each
            self.jobs = min(LARGEST_PREFETCH, int(ahead)) if each < PREFETCH_SECONDS else 0
            self._ended, self._seconds = jobs, seconds

    def forget(self) -> None:
        """Prefetch nothing until another run has ended."""
        self.jobs = 0
