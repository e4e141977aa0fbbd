"""What needs no thread: of which kinds it is, and how much room there is for it."""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple


class Apart(NamedTuple):
    """`free()` tells for how many more jobs there is room, `taken()` how many came in all."""

    kinds: AbstractSet[str]
    free: Callable[[], int]
    taken: Callable[[], int]


NOTHING_APART: Final = Apart(frozenset(), lambda: 0, lambda: 0)
