"""What the fetcher's bell can tell: of work in a queue, of room for a kind, and how they differ."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Final

ROOM: Final = ""
"""Workers may need more; no queue has this name."""

ENTRUSTED: Final = ","
"""Before the name of a queue, and between it and a kind: a job of that kind is ready, and nobody
else was told. The name of a queue has none."""

FREED: Final = ";"
"""Before the name of a queue: there is room at its door."""

ENDED: Final = ":"
"""Before the name of a kind: there is room for another of its jobs."""

NO_SIGN: Final = ""
"""A queue may have new work; or whatever else it is that bells of other threads heed."""

SIGNS: Final = frozenset({ENTRUSTED, FREED, ENDED})
"""No name of a queue begins with one."""


def by_sign(rung: Mapping[str, int]) -> dict[str, Counter[str]]:
    """How often each name was rung, behind each sign."""
    told: dict[str, Counter[str]] = defaultdict(Counter)
    for ring, times in rung.items():
        sign = ring[:1] if ring[:1] in SIGNS else NO_SIGN
        told[sign][ring.removeprefix(sign)] += times
    return told
