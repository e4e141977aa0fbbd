"""How many jobs of one kind a process may run at once: `max_concurrent_per_process`."""

from collections.abc import Iterable, Sequence

from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.handlers.registry import registry
from forge_jobs.runtime.claiming.claims import Claims


class KindLimits:
    def __init__(self, claims: Claims, kinds: Sequence[str]) -> None:
        self._claims = claims
        handlers = {kind: registry.get(kind) for kind in kinds}
        self.chunked = [kind for kind in kinds if isinstance(handlers[kind], ChunkHandler)]
        """The kinds whose calls are limited, not their jobs."""
        limits = {kind: handlers[kind].max_concurrent_per_process for kind in kinds}
        self._limits = {
            kind: limit
            for kind, limit in limits.items()
            if limit is not None and kind not in self.chunked
        }
        self.unlimited = [kind for kind in kinds if kind not in {*self._limits, *self.chunked}]
        """The kinds of which this process may run any number."""

    @property
    def limited(self) -> list[str]:
        return [*self._limits]

    def is_limited(self, kind: str) -> bool:
        return kind in self._limits

    def rooms(self, kinds: Iterable[str]) -> dict[str, int]:
        """Of some limited kinds those that this process may run more of, with how many more."""
        rooms = {kind: self._limits[kind] - self._claims.count(kind) for kind in kinds}
        return {kind: room for kind, room in rooms.items() if room > 0}

    def with_room(self, kinds: Iterable[str]) -> tuple[str, ...]:
        """Of some kinds those that this process may run more of."""
        return tuple(kind for kind in kinds if self.has_room_for(kind))

    def has_room_for(self, kind: str) -> bool:
        return self.room_for(kind, wanted=1) > 0

    def room_for(self, kind: str, *, wanted: int) -> int:
        """How many of so many more may run here."""
        limit = self._limits.get(kind)
        return wanted if limit is None else min(wanted, max(0, limit - self._claims.count(kind)))

    def can_take(self, kind: str) -> bool:
        """Whether one more of a kind could be run here, which is none of ours perhaps."""
        if kind in self.unlimited or kind in self.chunked:
            return True
        return self.is_limited(kind) and self.has_room_for(kind)
