"""How many jobs of one kind a process may run at once: `max_concurrent_per_process`."""

from collections.abc import Sequence

from forge_jobs.handlers.registry import registry
from forge_jobs.runtime.claiming.claims import Claims


class KindLimits:
    def __init__(self, claims: Claims, kinds: Sequence[str]) -> None:
        self._claims = claims
        self._kinds = list(kinds)
        limits = {kind: registry.get(kind).max_concurrent_per_process for kind in kinds}
        self._limits = {kind: limit for kind, limit in limits.items() if limit is not None}

    def __len__(self) -> int:
        """How many kinds this process knows."""
        return len(self._kinds)

    def is_limited(self, kind: str) -> bool:
        return kind in self._limits

    def roomy(self) -> list[str]:
        """The kinds of which this process may run more than it does."""
        if not self._limits:
            return self._kinds
        return [kind for kind in self._kinds if self.has_room_for(kind)]

    def has_room_for(self, kind: str) -> bool:
        limit = self._limits.get(kind)
        return limit is None or self._claims.count(kind) < limit
