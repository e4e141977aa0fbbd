"""A lane that walked in vain over what is for others rests; but no drain waits for that to end."""

import pytest

from forge_jobs.runtime.claiming import resting
from tests.running import engine

pytestmark = pytest.mark.django_db(transaction=True)

ROUNDS = 5


@pytest.fixture(autouse=True)
def _each_look_is_dear(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the machine is so busy that it takes long to find nothing."""
    monkeypatch.setattr(resting, "FARTHEST_STRAY", -1.0)
    monkeypatch.setattr(resting, "STRAY_SHARE", 1e9)
    monkeypatch.setattr(resting, "LONGEST_AWAY", 600.0)


def test_one_that_found_nothing_rests_while_its_queue_is_full_of_others_jobs() -> None:
    lanes = engine().fetcher.lanes
    plain, scarce, *_ = lanes
    scarce.strayed, plain.allowance = 0.01, 3
    lanes.spare(scarce)

    assert scarce.opens_at > plain.opens_at == 0.0
    assert scarce not in lanes.open()


def test_it_rests_no_more_once_its_queue_is_known_to_hold_nothing() -> None:
    lanes = engine().fetcher.lanes
    plain, scarce, *_ = lanes
    scarce.strayed, plain.allowance = 0.01, 3
    lanes.spare(scarce)
    assert scarce.opens_at > 0.0

    plain.allowance = 0
    lanes.spare(plain)
    assert scarce.opens_at == 0.0


def test_it_does_not_rest_on_a_rumour_that_there_are_others_jobs() -> None:
    lanes = engine().fetcher.lanes
    plain, scarce, *_ = lanes
    scarce.strayed, plain.may_hold_work = 0.01, True
    lanes.spare(scarce)

    assert scarce.opens_at == 0.0


def test_it_rests_no_more_when_a_job_is_entrusted_to_it() -> None:
    lanes = engine().fetcher.lanes
    plain, scarce, *_ = lanes
    scarce.strayed, plain.allowance = 0.01, 3
    lanes.spare(scarce)
    scarce.entrust(1)

    assert scarce in lanes.open()


def test_a_drain_ends_though_each_of_its_looks_takes_long() -> None:
    fetcher = engine(drain=True).fetcher
    fetcher.lanes.look_first()
    for _ in range(ROUNDS):
        fetcher.run_once()

    assert fetcher.stopping.is_set()
