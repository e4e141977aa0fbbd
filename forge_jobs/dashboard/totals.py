"""How many jobs there are: counted here and now while they are few, else as the census says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Final

from forge_jobs.models import JobTotal
from forge_jobs.operations.status import count_finished, count_jobs, count_unfinished
from forge_jobs.states import TERMINAL, State

FEW: Final = 20_000
"""Up to so many rows are counted in some milliseconds."""


@dataclass(frozen=True)
class Totals:
    """Jobs by queue and state; `counted_at` is None where all were counted just now."""

    counts: Counter[tuple[str, str]]
    counted_at: datetime | None

    @classmethod
    def read(cls) -> Totals:
        census = list(JobTotal.objects.values_list("queue", "state", "count", "counted_at"))
        known = Counter({(queue, state): count for queue, state, count, _ in census})
        finished = Counter({key: known[key] for key in known if key[1] in TERMINAL})
        unfinished = known - finished
        match finished.total() <= FEW, unfinished.total() <= FEW:
            case True, True:
                return cls(count_jobs(), None)
            case True, False:
                counts = unfinished + count_finished()
            case False, True:
                counts = finished + count_unfinished()
            case _:
                counts = known
        return cls(counts, min(counted_at for *_, counted_at in census))

    @cached_property
    def _of_queue(self) -> Mapping[str, Counter[str]]:
        """By state; under no name, of all queues."""
        counts: dict[str, Counter[str]] = {"": Counter()}
        for (queue, state), count in self.counts.items():
            counts.setdefault(queue, Counter())[state] += count
            counts[""][state] += count
        return counts

    def of(self, *, queue: str = "", states: Collection[str] = ()) -> int:
        """How many there are in a queue, in some states; of all where nothing is said."""
        counts = self._of_queue.get(queue, Counter())
        return sum(counts[state] for state in states) if states else counts.total()

    def by_state(self, queue: str = "") -> dict[State, int]:
        counts = self._of_queue.get(queue, Counter())
        return {state: counts[state] for state in State}

    def queues(self) -> set[str]:
        return {queue for queue, _ in self.counts}
