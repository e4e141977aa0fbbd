"""How long to wait before the next attempt: retry policies are values.

Every policy is called with the number of the attempt that failed, counted from 1, and answers
with a `timedelta`. A plain function of that shape is a policy, too.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

RetryPolicy = Callable[[int], timedelta]


@dataclass(frozen=True, kw_only=True)
class Fixed:
    """The same `delay` every time."""

    delay: timedelta = timedelta(seconds=10)
    jitter: float = 0.0

    def __call__(self, attempt: int) -> timedelta:
        return _spread(self.delay, self.jitter)


@dataclass(frozen=True, kw_only=True)
class Exponential:
    """`base`, then `factor` times longer after every failure, up to `cap`."""

    base: timedelta = timedelta(seconds=10)
    factor: float = 2.0
    cap: timedelta = timedelta(minutes=30)
    jitter: float = 0.2

    def __call__(self, attempt: int) -> timedelta:
        delay = _grown(self.base, self.factor, attempt - 1, cap=self.cap)
        return min(self.cap, _spread(delay, self.jitter))


@dataclass(frozen=True, kw_only=True)
class Polynomial:
    """`base` times the attempt to the power of `exponent`, up to `cap`."""

    base: timedelta = timedelta(seconds=1)
    exponent: float = 4.0
    cap: timedelta = timedelta(hours=6)
    jitter: float = 0.2

    def __call__(self, attempt: int) -> timedelta:
        delay = _grown(self.base, attempt, self.exponent, cap=self.cap)
        return min(self.cap, _spread(delay, self.jitter))


@dataclass(frozen=True, kw_only=True)
class DecorrelatedJitter:
    """Anything between `base` and the smaller of `cap` and `base` times three to the attempt.

    Spreads a crowd of jobs that failed together as widely as possible; after Marc Brooker,
    "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015).
    """

    base: timedelta = timedelta(seconds=1)
    cap: timedelta = timedelta(minutes=30)

    def __call__(self, attempt: int) -> timedelta:
        highest = _grown(self.base, 3.0, attempt, cap=self.cap)
        return self.base + (highest - self.base) * random.random()  # noqa: S311 - no secret


def _grown(base: timedelta, root: float, power: float, *, cap: timedelta) -> timedelta:
    try:
        return min(cap, base * float(root**power))
    except OverflowError:
        return cap


def _spread(delay: timedelta, jitter: float) -> timedelta:
    return delay * random.uniform(1 - jitter, 1 + jitter) if jitter else delay  # noqa: S311 - no secret
