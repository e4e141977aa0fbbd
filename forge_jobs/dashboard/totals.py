"""How many jobs there are: counted here and now while they are few, else as the census says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forge_jobs.models import JobTotal
from forge_jobs.operations.status import count_finished, count_unfinished
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
        census = list(JobTotal.objects.all())
        counted = Counter({(total.queue, total.state): total.count for total in census})
        finished = {key: count for key, count in counted.items() if key[1] in TERMINAL}
        unfinished = {key: count for key, count in counted.items() if key[1] not in TERMINAL}
        counts: Counter[tuple[str, str]] = Counter()
        is_counted_now = True
        for known, count in ((finished, count_finished), (unfinished, count_unfinished)):
            is_small = sum(known.values()) <= FEW
            counts.update(count() if is_small else known)
            is_counted_now &= is_small
        moments = [total.counted_at for total in census]
        return cls(counts, None if is_counted_now else min(moments))

    def of(self, *, queue: str = "", states: Collection[str] = ()) -> int:
        """How many there are in a queue, in some states; of all where nothing is said."""
        return sum(
            count
            for (name, state), count in self.counts.items()
            if queue in ("", name) and (not states or state in states)
        )

    def by_state(self, queue: str = "") -> dict[State, int]:
        return {state: self.of(queue=queue, states=[state]) for state in State}

    def queues(self) -> set[str]:
        return {queue for queue, _ in self.counts}
