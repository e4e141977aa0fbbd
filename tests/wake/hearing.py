"""A listener that runs, and what its process's bells are rung for."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from forge_jobs.wake import local
from forge_jobs.wake.base import Listener
from tests.running import PATIENCE


class Counting(local.Bell):
    def __init__(self) -> None:
        super().__init__()
        self.rung: Counter[str] = Counter()

    def ring(self, queue: str) -> None:
        self.rung[queue] += 1


@contextmanager
def listening(listener: Listener) -> Iterator[Counter[str]]:
    bell = Counting()
    local.subscribe(bell)
    listener.start()
    try:
        yield bell.rung
    finally:
        listener.stop()
        listener.join(PATIENCE)
        local.unsubscribe(bell)
    assert not listener.is_alive()
