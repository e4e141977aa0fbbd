"""How verbs go through any number of jobs, and what is written down of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Final

from forge_jobs import db
from forge_jobs.models.event import JobEvent
from forge_jobs.models.expiry import Expiring
from forge_jobs.models.job_filters import JobFilters
from forge_jobs.states import Event
from forge_jobs.wording import LONGEST_MESSAGE, trimmed

if TYPE_CHECKING:
    from forge_jobs.models.job_queryset import JobQuerySet

BATCH: Final = 500
"""How many rows a verb changes at once; in between, others can write."""
LOOKED_UP: Final = 5_000
"""How many rows a verb finds at once: SQLite may have to sort all of them each time."""
LONGEST_BY: Final = 200


class InBatches(Expiring):
    def _in_batches(self, act: Callable[[JobQuerySet], int]) -> int:
        """Do something to the rows, the oldest first; each batch is a transaction of its own.

        `act` gets bare rows, for with more to go by SQLite might not go by their ids; it guards
        its change against what others did in the meantime.
        """
        done = 0
        plain = self.model._default_manager.using(self.db)
        keys = self._keys()
        while batch := list(islice(keys, BATCH)):
            done += db.unless_locked(partial(act, plain.filter(pk__in=batch)))
        return done

    def _keys(self) -> Iterator[int]:
        last = 0
        while True:
            following = self.filter(pk__gt=last).order_by("pk").values_list("pk", flat=True)
            if not (keys := list(following[:LOOKED_UP])):
                return
            yield from keys
            last = keys[-1]


def note(jobs: JobFilters, event: Event, *, at: datetime, by: str, detail: str = "") -> None:
    """Write down what a person did, in the transaction that does it."""
    ids, detail = jobs.values_list("pk", flat=True), trimmed(detail, LONGEST_MESSAGE)
    JobEvent.objects.note(ids, event, at=at, by=storable(by), detail=detail)


def storable(by: str) -> str:
    return trimmed(by[:LONGEST_BY], LONGEST_BY)
