"""The desks of a process: where jobs of chunk kinds wait for a call."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.runtime.claiming.desk import Desk


class Desks:
    """Those of a process: one for each of its queues and chunk kinds."""

    def __init__(
        self,
        queues: Mapping[str, int],
        *,
        summon: Callable[[Desk], None],
        tell: Callable[[], None],
    ) -> None:
        chunked = [one for one in registry.handlers() if isinstance(one, ChunkHandler)]
        self._desks = {
            (queue, handler.kind): Desk(queue, handler, summon=summon, tell=tell)
            for handler in chunked
            for queue in queues
        }
        self._used: dict[tuple[str, str], Desk] = {}
        self.kinds = frozenset(handler.kind for handler in chunked)

    def __iter__(self) -> Iterator[Desk]:
        return iter(self._desks.values())

    @property
    def used(self) -> list[Desk]:
        """Those that ever had a job: few, of the many that many queues make."""
        return list(self._used.values())

    def of(self, job: ClaimedJob) -> Desk | None:
        """Where a job belongs that is about to come, if it is of a chunk kind."""
        at = (job.queue, job.kind)
        if desk := self._desks.get(at) if self._desks else None:
            self._used[at] = desk
        return desk
