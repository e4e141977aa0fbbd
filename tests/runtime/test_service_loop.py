"""When the services of a thread have their turn."""

from datetime import datetime, timedelta

import pytest

from forge_jobs.models import Process
from forge_jobs.runtime.service_loop import LONGEST_REST, LeaderLoop, ServiceLoop, Turn
from forge_jobs.services.base import Service
from forge_jobs.services.leader import Leader
from forge_jobs.wake import local
from tests.running import PATIENCE, eventually

pytestmark = pytest.mark.once


class Counting(Service):
    def __init__(self, *, rests: float = 60.0) -> None:
        self.interval = timedelta(seconds=rests)
        self.turns = 0

    def run_once(self, *, now: datetime) -> int:
        self.turns += 1
        return 0


def refuse(reason: str) -> None:
    raise AssertionError(reason)


def test_only_who_leads_runs_the_services_of_a_leader() -> None:
    leader, service = Leader(Process()), Counting()
    loop = LeaderLoop("services", [service], leader=leader, fail=refuse)
    assert loop.step() == LONGEST_REST

    leader.leads = True

    assert 0 < loop.step() <= LONGEST_REST
    assert service.turns == 1


@pytest.fixture
def _young(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ServiceLoop, "begins_after", PATIENCE)


@pytest.mark.usefixtures("_young")
def test_a_process_that_ends_young_has_run_none() -> None:
    service = Counting()
    loop = ServiceLoop("watch", [service], fail=refuse)
    loop.start()
    loop.stop()
    loop.join(PATIENCE)

    assert not loop.is_alive()
    assert not service.turns


@pytest.mark.usefixtures("_young")
def test_what_somebody_asks_of_a_young_process_is_heeded_at_once() -> None:
    service = Counting()
    loop = ServiceLoop("watch", [service], fail=refuse)
    loop.start()
    try:
        loop.bell.ring(local.STOP)
        eventually(lambda: service.turns > 0)
    finally:
        loop.stop()
        loop.join(PATIENCE)


@pytest.mark.parametrize("rests", [0.5, 1.0, 2.0, 5.0])
def test_services_that_rest_for_so_long_wake_up_in_one_beat(rests: float) -> None:
    phase = 0.3
    turn = Turn(Counting(rests=rests), phase=phase)

    turn.run()

    beats = (turn.due_at - phase) / min(rests, 1.0)
    assert beats == pytest.approx(round(beats), abs=1e-4)
