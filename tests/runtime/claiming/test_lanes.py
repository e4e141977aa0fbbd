"""Queues take turns, as often as their weights say, and none starves."""

from types import SimpleNamespace
from typing import Any

import pytest

from forge_jobs.db.rows import ClaimedJob, Position
from forge_jobs.models import Job, Process
from forge_jobs.runtime.claiming import lane as lane_module
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lane import Lane, take_turns
from forge_jobs.runtime.claiming.lanes import Lanes
from tests.conftest import NOON
from tests.rows import stored_job


def turns(count: int, **weights: int) -> list[str]:
    """Which queues are served, one after the other, while all of them hold work."""
    lanes = [Lane(queue, weight=weight) for queue, weight in weights.items()]
    served = []
    for _ in range(count):
        lane = max(lanes, key=lambda lane: lane.credit + lane.weight)
        take_turns([lane], lanes)
        served.append(lane.queue)
    return served


def test_queues_of_equal_weight_take_turns() -> None:
    assert turns(6, a=1, b=1, c=1) == ["a", "b", "c"] * 2


def test_a_queue_is_served_as_often_as_its_weight_says() -> None:
    served = turns(600, critical=5, default=1)

    assert served.count("critical") == 500
    assert served[:6].count("default") == 1


def test_a_queue_that_had_no_work_for_long_gets_no_more_than_its_share() -> None:
    idle, busy = Lane("idle"), Lane("busy")
    for _ in range(100):
        take_turns([busy], [busy])
    first = [max([idle, busy], key=lambda lane: lane.credit + lane.weight)]
    take_turns(first, [idle, busy])

    assert abs(idle.credit) <= 1
    assert abs(busy.credit) <= 1


class Claims:
    """Stands in for the database: notes from where each claim starts, and what a look costs."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, front_seconds: float) -> None:
        self.starts: list[str] = []
        self.front_seconds = front_seconds
        self.now = 0.0
        monkeypatch.setattr(Job.objects, "claim", self.claim)
        monkeypatch.setattr(lane_module, "time", SimpleNamespace(monotonic=lambda: self.now))

    def claim(self, *, limit: int, after: Position | None, **terms: Any) -> list[ClaimedJob]:
        self.starts.append("position" if after else "front")
        self.now += 0.0 if after else self.front_seconds
        job = ClaimedJob(1, "default", "app.noop", "{}", "{}", 0, NOON, 1, None, None)
        return [job] * limit


@pytest.mark.parametrize(
    ("front_seconds", "start"), [(0.002, "front"), (0.1, "position")], ids=["cheap", "dear"]
)
def test_jobs_entrusted_bring_a_look_at_the_front_forward_if_that_is_cheap(
    front_seconds: float, start: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, lane = Claims(monkeypatch, front_seconds=front_seconds), Lane("default")
    process = Process(name="here")
    for entrusted in (0, 0, 3):
        lane.entrust(entrusted)
        lane.claim(5, kinds=["app.noop"], process=process)

    assert claims.starts == ["front", "position", start]
    assert lane.entrusted == 0


def lanes_of(count: int) -> Lanes:
    steering: Any = SimpleNamespace(closed=frozenset())
    no_claims: Any = None
    no_desks: Any = []
    kinds = KindLimits(no_claims, [])
    queues = {f"queue-{number}": 1 for number in range(count)}
    return Lanes(queues, kinds=kinds, desks=no_desks, steering=steering)


@pytest.mark.django_db
def test_of_many_queues_only_those_with_jobs_are_claimed_from_at_the_start() -> None:
    stored_job(queue="queue-3")
    lanes = lanes_of(20)
    lanes.look_first()

    assert [lane.queue for lane in lanes.open()] == ["queue-3"]


def test_of_many_queues_all_but_the_last_with_jobs_may_be_claimed_ahead_from() -> None:
    assert [lane.left_elsewhere for lane in lanes_of(6).in_turn()] == [5, 4, 3, 2, 1, 0]


def test_of_few_queues_nothing_is_taken_to_be_elsewhere_for_nobody_has_looked() -> None:
    assert [lane.left_elsewhere for lane in lanes_of(3).in_turn()] == [0, 0, 0]
