"""The one clock: the database's, as this process last measured it.

Until the next measurement it goes by elapsed time, which nobody can set.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import partial
from typing import Final, NamedTuple

TOLERANCE: Final = 1.0
"""By how many seconds a measurement may be off and still be believed at once."""

AHEAD: Final = timedelta(seconds=5)
"""What was stored in the past, and lies so much later than now, is of a clock that was ahead."""

STEP: Final = 0.0005
"""Seconds; to tell a moment costs a good part of what a short job costs."""

CONFIRMATIONS: Final = 2
"""What is off by more is a jump, and believed when so many later ones say the same."""


def now() -> datetime:
    """The database's present moment, as well as this process knows it; aware, in UTC.

    A process that measures nothing, as those of the web, has only this machine's clock.
    """
    return _source()


def _longest_running() -> Callable[[], float]:
    """Seconds since whenever; those that the machine slept are among them, where it counts them."""
    try:
        time.clock_gettime(time.CLOCK_BOOTTIME)
    except (AttributeError, OSError):
        return time.monotonic
    return partial(time.clock_gettime, time.CLOCK_BOOTTIME)


elapsed: Final = _longest_running()


class Verdict(Enum):
    """What a measurement is taken for."""

    RIGHT = "right"
    JUMPED = "jumped"
    DOUBTFUL = "doubtful"
    """As the last one, which had jumped."""
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"
    """Right again, after a jump."""


class Reading(NamedTuple):
    """A measurement, and by how much the clock had jumped: ahead, or back if it is negative."""

    verdict: Verdict
    jump: timedelta = timedelta(0)


class Doubt(NamedTuple):
    """A jump that is not believed yet; `ahead` as that of the clock."""

    ahead: float
    confirmations: int = 0


class MeasuredClock:
    """Follows another clock, whatever this machine's does, but not at once where it jumps.

    Moments are told in steps of `STEP`: a busy process asks for one per job.
    """

    def __init__(self, elapsed: Callable[[], float] = elapsed) -> None:
        self._elapsed = elapsed
        self._ahead: float | None = None
        """Of elapsed time, in seconds; None: nothing is measured."""
        self._doubt: Doubt | None = None
        self._told: tuple[float, datetime] | None = None
        """The elapsed time up to which the same moment is told again."""

    def __call__(self) -> datetime:
        ahead = self._ahead
        if ahead is None:
            return datetime.now(UTC)
        elapsed = self._elapsed()
        told = self._told
        if told is not None and elapsed < told[0]:
            return told[1]
        moment = datetime.fromtimestamp(elapsed + ahead, UTC)
        self._told = elapsed + STEP, moment
        return moment

    @property
    def jump(self) -> timedelta | None:
        """By how much the other clock has jumped, as long as that is not believed."""
        return self._jump_to(self._doubt.ahead) if self._doubt else None

    def trust(self, moment: datetime, *, at: float) -> None:
        """Go on from a measurement, whatever it says; `at` is the elapsed time beside it."""
        self._ahead, self._doubt, self._told = moment.timestamp() - at, None, None

    def forget(self) -> None:
        self._ahead = self._doubt = self._told = None

    def hear(self, moment: datetime, *, at: float) -> Reading:
        """Judge a measurement by those before it, and go on from it if it can be believed."""
        ahead, doubt = moment.timestamp() - at, self._doubt
        if self._ahead is None or abs(ahead - self._ahead) <= TOLERANCE:
            verdict, jump = Verdict.WITHDRAWN if doubt else Verdict.RIGHT, self.jump
            self.trust(moment, at=at)
            return Reading(verdict, jump or timedelta(0))
        jump = self._jump_to(ahead)
        if doubt is None or abs(ahead - doubt.ahead) > TOLERANCE:
            self._doubt = Doubt(ahead)
            return Reading(Verdict.JUMPED, jump)
        self._doubt = doubt._replace(confirmations=doubt.confirmations + 1)
        if self._doubt.confirmations < CONFIRMATIONS:
            return Reading(Verdict.DOUBTFUL, jump)
        self.trust(moment, at=at)
        return Reading(Verdict.CONFIRMED, jump)

    def _jump_to(self, ahead: float) -> timedelta:
        return timedelta(seconds=ahead - (self._ahead or 0.0))


measured: Final = MeasuredClock()
_source: Callable[[], datetime] = measured


class ManualClock:
    """A clock for tests: it stands still until it is advanced."""

    def __init__(self, start: datetime) -> None:
        self.current = start

    def __call__(self) -> datetime:
        return self.current

    def advance(self, by: timedelta) -> datetime:
        self.current += by
        return self.current


@contextmanager
def installed(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `now()` ask `source` for the length of a block."""
    global _source
    previous, _source = _source, source
    try:
        yield
    finally:
        _source = previous
