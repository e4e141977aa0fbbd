"""How does a project test its jobs? For plain `TestCase`s, in the test's own transaction."""

from forge_jobs.testing.budgets import FakeBudget, fake_budget
from forge_jobs.testing.clocks import FrozenClock, frozen_at
from forge_jobs.testing.enqueued import assert_enqueued, assert_not_enqueued, enqueued
from forge_jobs.testing.mixin import JobsMixin
from forge_jobs.testing.ran import Drained, Ran
from forge_jobs.testing.runs import drain, run

__all__ = [
    "Drained",
    "FakeBudget",
    "FrozenClock",
    "JobsMixin",
    "Ran",
    "assert_enqueued",
    "assert_not_enqueued",
    "drain",
    "enqueued",
    "fake_budget",
    "frozen_at",
    "run",
]
