"""Claimed jobs on their way: coroutines to their loop, all others to the workers."""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Any

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.registry import registry
from forge_jobs.runtime.claiming.buffer import Buffer

if TYPE_CHECKING:
    from forge_jobs.runtime.running.coroutines import Coroutines


def coroutines_among(kinds: Iterable[str]) -> frozenset[str]:
    """Those whose handlers are coroutines, and run in this very process."""
    handlers = [registry.get(kind) for kind in kinds]
    return frozenset(one.kind for one in handlers if one.is_async and not one.isolation)


class Sorter(Buffer):
    """The buffer of a process that has coroutines."""

    def __init__(self, *arguments: Any, coroutines: Coroutines, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._coroutines = coroutines

    def __len__(self) -> int:
        return super().__len__() + self._coroutines.waiting

    def forward(self, *jobs: ClaimedJob) -> None:
        if jobs[0].kind not in self._coroutines.kinds:
            super().forward(*jobs)
            return
        for job in jobs:
            self._coroutines.put(job)

    def release_unstarted(self, *, queues: AbstractSet[str] | None = None) -> int:
        released = super().release_unstarted(queues=queues)
        return released + self._coroutines.release_unstarted(queues=queues)
