"""How long to wait before the next attempt: retry policies are values.

Every policy is called with the number of the attempt that failed, counted from 1, and answers
with a `timedelta`. A plain function of that shape is a policy, too. One that has parameters named
`error` or `job` is also told the exception, None if there was none, and the `ClaimedJob`.
"""

import inspect
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import lru_cache
from typing import Any

from forge_jobs import clock
from forge_jobs.causes import causes

RetryPolicy = Callable[..., timedelta]


def delay_by(
    policy: RetryPolicy, attempt: int, *, error: BaseException | None = None, job: Any = None
) -> timedelta:
    """What a policy answers, told as much as it takes."""
    told = {"error": error, "job": job}
    try:
        wanted = _wanted(policy)
    except TypeError:  # one that can't be hashed
        wanted = _wanted.__wrapped__(policy)
    return policy(attempt, **{name: told[name] for name in wanted})


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
        return _spread(delay, self.jitter, cap=self.cap)


@dataclass(frozen=True, kw_only=True)
class Polynomial:
    """`base` times the attempt to the power of `exponent`, up to `cap`."""

    base: timedelta = timedelta(seconds=1)
    exponent: float = 4.0
    cap: timedelta = timedelta(hours=6)
    jitter: float = 0.2

    def __call__(self, attempt: int) -> timedelta:
        delay = _grown(self.base, attempt, self.exponent, cap=self.cap)
        return _spread(delay, self.jitter, cap=self.cap)


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


@dataclass(frozen=True, kw_only=True)
class RetryAfter:
    """What the other side asks for in a `Retry-After`, at most `cap`; else what `otherwise` says.

    Read from the exception or one that led to it, as those of requests, httpx and urllib carry it:
    a number of seconds, or a moment (RFC 9110, 10.2.3). No seconds, or a moment that is over, as
    it is to a clock that goes ahead, ask for nothing: else all attempts were spent at once.
    """

    otherwise: RetryPolicy = Exponential()
    cap: timedelta = timedelta(hours=1)

    def __call__(
        self, attempt: int, *, error: BaseException | None = None, job: Any = None
    ) -> timedelta:
        for link in causes(error):
            if (asked := _asked_by(link)) > timedelta(0):
                return min(self.cap, asked)
        return delay_by(self.otherwise, attempt, error=error, job=job)


@lru_cache(maxsize=256)
def _wanted(policy: RetryPolicy) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(policy).parameters
    except (TypeError, ValueError):  # of a builtin
        return ()
    return tuple(name for name in ("error", "job") if name in parameters)


def _asked_by(error: BaseException) -> timedelta:
    """How long to wait, as an exception's answer from the other side says; 0 if it doesn't."""
    try:
        answer: Any = getattr(error, "response", None)
        headers: Any = getattr(error if answer is None else answer, "headers", {})
        text = str(headers.get("Retry-After", "")).strip()
        if text.isdecimal():
            return timedelta(seconds=int(text))
        moment = parsedate_to_datetime(text)
    except Exception:  # whatever somebody else's exception does
        return timedelta(0)
    return _aware(moment) - clock.now()


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _grown(base: timedelta, root: float, power: float, *, cap: timedelta) -> timedelta:
    try:
        return min(cap, base * float(root**power))
    except OverflowError:
        return cap


def _spread(delay: timedelta, jitter: float, *, cap: timedelta = timedelta.max) -> timedelta:
    """Anything within the jitter, also at the cap: held to it afterwards, half would be in step."""
    if not jitter:
        return delay
    shortest, longest = delay * (1 - jitter), delay + min(cap - delay, delay * jitter)
    return shortest + (longest - shortest) * random.random()  # noqa: S311 - no secret
