"""How does a project test its jobs? For plain `TestCase`s, in the test's own transaction."""

from forge_jobs.testing.budgets import FakeBudget, fake_budget
from forge_jobs.testing.clocks import FrozenClock, frozen_at
from forge_jobs.testing.enqueued import assert_enqueued, assert_not_enqueued, enqueued
from forge_jobs.testing.inline import Drained, Ran, drain, run
from forge_jobs.testing.mixin import JobsMixin

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
