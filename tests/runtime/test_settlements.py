"""What most runs come to is decided in fewer steps, and to the same end."""

from types import SimpleNamespace
from typing import Any

import pytest

from forge_jobs import job
from forge_jobs.backoff import Exponential
from forge_jobs.clock import ManualClock
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers.outcomes import Done
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.settlement import settle
from forge_jobs.runtime.settlements import Settlements
from forge_jobs.states import State
from tests.conftest import NOON

CLAIMED = ClaimedJob(
    7, "default", "tests.subject", "{}", "{}", 0, NOON, 3, 5, None, claimed_at=NOON.isoformat()
)


@pytest.fixture(autouse=True)
def _at_noon(manual_clock: ManualClock) -> None:
    @job(kind="tests.subject")
    def subject() -> None: ...


def settled(outcome: Done, *, kept: bool = True) -> Transition:
    steering: Any = SimpleNamespace(
        retry_of=lambda queue: Exponential(), keeps_successes=lambda queue: kept
    )
    return Settlements(steering, doors={}, process_name="tested").settled(CLAIMED, outcome)


def test_a_success_that_says_nothing_is_settled_like_any() -> None:
    assert settled(Done()) == settle(CLAIMED, Done(), policy=Exponential(), now=NOON)


def test_one_that_nobody_wants_kept_is_forgotten() -> None:
    assert settled(Done(), kept=False).is_forgotten


def test_one_of_a_kind_that_keeps_its_process_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.get("tests.subject"), "keeps_process", True)

    assert settled(Done()).process_name == "tested"


def test_a_resident_job_can_not_succeed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry.get("tests.subject"), "resident", True)

    assert settled(Done()).state is State.RETRYING
