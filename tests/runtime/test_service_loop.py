"""When the services of a thread have their turn."""

from datetime import datetime, timedelta

import pytest

from forge_jobs.models import Process
from forge_jobs.runtime import service_loop
from forge_jobs.runtime.service_loop import LONGEST_REST, LeaderLoop, ServiceLoop, Turn
from forge_jobs.services.base import Service
from forge_jobs.services.leader import Leader

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


def test_a_service_that_has_nothing_to_do_at_first_rests_at_first() -> None:
    late, early = Counting(), Counting()
    late.rests_at_first = timedelta(seconds=30)
    loop = ServiceLoop("some", [late, early], fail=refuse)

    assert 0 < loop.step() <= 30
    assert (late.turns, early.turns) == (0, 1)


def test_who_leads_for_a_moment_runs_no_services_yet() -> None:
    leader, service = Leader(Process()), Counting()
    loop = LeaderLoop("services", [service], leader=leader, fail=refuse)
    assert loop.step() == LONGEST_REST

    leader.leads = True

    assert 0 < loop.step() <= service_loop.NEW_LEADERS_REST
    assert not service.turns


def test_who_leads_for_longer_runs_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service_loop, "NEW_LEADERS_REST", 0.0)
    leader, service = Leader(Process()), Counting()
    loop = LeaderLoop("services", [service], leader=leader, fail=refuse)
    leader.leads = True

    assert 0 < loop.step() <= LONGEST_REST
    assert service.turns == 1


@pytest.mark.parametrize("rests", [0.5, 1.0, 2.0, 5.0])
def test_services_that_rest_for_so_long_wake_up_in_one_beat(rests: float) -> None:
    phase = 0.3
    turn = Turn(Counting(rests=rests), phase=phase)

    turn.run()

    beats = (turn.due_at - phase) / min(rests, 1.0)
    assert beats == pytest.approx(round(beats), abs=1e-4)
