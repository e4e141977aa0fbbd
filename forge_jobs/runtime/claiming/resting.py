"""When a lane is not to be looked at, for most likely it would be in vain."""

from __future__ import annotations

import time
from typing import Final

STRAY_SHARE: Final = 50
FARTHEST_STRAY: Final = 0.0005
"""A look that took longer than this, and found only what is for other lanes to take, is followed by
so many times as long a rest."""

LONGEST_AWAY: Final = 1.0


class Resting:
    """Looked at from `opens_at` on, unless that is taken back before."""

    def __init__(self) -> None:
        self.opens_at = 0.0
        """By the monotonic clock, when to look again: tokens or a worker should be there then."""
        self.strayed = 0.0
        """Seconds that the last look took to find nothing, at the front."""
        self._rests = self._is_from_walk = False

    @property
    def has_strayed(self) -> bool:
        return self.strayed > FARTHEST_STRAY

    def rest_from_walk(self) -> None:
        """Rest for a while if the last look walked in vain over jobs that are others' to take.

        Of a hundred thousand of them, each such walk would cost as much as claiming hundreds.
        """
        if self.has_strayed:
            self.rest(min(LONGEST_AWAY, STRAY_SHARE * self.strayed))
            self._is_from_walk = True

    def walk_again(self) -> None:
        """There is nothing to walk over any more."""
        if self._is_from_walk:
            self.rest_no_more()

    def rest(self, seconds: float) -> None:
        """Do not look for so long, for it would most likely be in vain."""
        self.opens_at = max(self.opens_at, time.monotonic() + seconds)
        self._rests = True

    def rest_no_more(self) -> None:
        """Let it be looked at once more, for it is to be known whether it holds work."""
        if self._rests:
            self.opens_at, self._rests = 0.0, False
        self._is_from_walk = False
