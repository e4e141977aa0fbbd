"""`manage.py jobs budget`: what is in the buckets, and how one is steered."""

import json

import pytest
from django.core.management import CommandError
from pytest_django import Settings

from forge_jobs.models import Queue, RateLimitBudget
from tests.commands.conftest import Jobs

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _declared(settings: Settings) -> None:
    settings.FORGE_JOBS = {
        "QUEUES": {"default": {}, "crm": {"budget": "partner"}},
        "BUDGETS": {"partner": {"capacity": 20, "refill_per_second": 0.001}},
    }


def row(name: str = "partner") -> RateLimitBudget:
    budget: RateLimitBudget = RateLimitBudget.objects.get(name=name)
    return budget


def test_all_budgets_are_shown_with_who_spends_them(jobs: Jobs) -> None:
    assert jobs("budget").out.splitlines() == [
        "budget   tokens  capacity  per second  state   spent by",
        "partner      20        20       0.001  grants  crm",
    ]
    assert Queue.objects.filter(name="crm").exists()


def test_for_programs_they_are_json(jobs: Jobs) -> None:
    (budget,) = json.loads(jobs("budget", "partner", "--json").out)

    assert budget == {
        "name": "partner",
        "tokens": 20.0,
        "capacity": 20.0,
        "refill_per_second": 0.001,
        "paused_seconds": 0,
        "queues": ["crm"],
        "is_declared": True,
    }


def test_a_budget_is_drained_and_filled(jobs: Jobs) -> None:
    drained = jobs("budget", "partner", "--drain", "5m").out
    assert drained.startswith("Empty, and grants nothing for 5 min 0 s.\n\n")
    assert "drained for " in drained
    assert row().tokens == 0

    assert jobs("budget", "partner", "--refill").out.startswith("Full.\n")
    assert (row().tokens, row().drained_until) == (20, None)
    assert jobs("budget", "partner", "--drain").out.startswith("Empty.\n")


def test_a_budget_is_resized(jobs: Jobs) -> None:
    said = jobs("budget", "partner", "--capacity", "30", "--refill-per-second", "3")

    assert said.out.startswith("Changed.\n")
    assert (row().capacity, row().refill_per_second) == (30, 3)


def test_a_budget_is_added_full(jobs: Jobs) -> None:
    words = ["--add", "--capacity", "3", "--refill-per-second", "1"]

    assert jobs("budget", "another", *words).out.startswith("Added.\n")
    assert row("another").tokens == 3
    with pytest.raises(CommandError, match="There is a budget another already"):
        jobs("budget", "another", *words)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["partnr"], "There is no budget partnr, only partner. Did you mean 'partner'"),
        (["--refill"], "Say which budget"),
        (["--capacity", "3"], "Say which budget"),
        (["another", "--add", "--capacity", "3"], "needs --capacity and --refill-per-second"),
        (["x" * 101, "--add", "--capacity", "3", "--refill-per-second", "1"], "at most 100"),
        (["partner", "--drain", "--refill"], "not allowed with"),
        *[
            (["partner", "--capacity", number], "is no number from 0.000000001")
            for number in ("0", "nan", "inf", "1e12", "1e-320", "x")
        ],
        (["partner", "--drain", "soon"], "is no duration"),
    ],
)
def test_what_can_not_be_is_refused(jobs: Jobs, words: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        jobs("budget", *words)
