"""Queues take turns, as often as their weights say, and looks in vain keep no job waiting."""

from typing import Any

import pytest

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job
from forge_jobs.runtime.claiming.lane import Lane
from forge_jobs.runtime.claiming.turns import take_turns
from forge_jobs.runtime.engine import Engine
from tests.app.jobs import noop
from tests.running import engine


def turns(count: int, **weights: int) -> list[str]:
    """Which queues are served, one after the other, while all of them hold work."""
    lanes = [Lane(queue, weight=weight) for queue, weight in weights.items()]
    served = []
    for _ in range(count):
        lane = max(lanes, key=lambda lane: lane.credit + lane.weight)
        take_turns({lane}, lanes)
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
    idle.may_hold_work = False
    for _ in range(100):
        take_turns({busy}, [idle, busy])
    idle.may_hold_work = True
    first = {max([idle, busy], key=lambda lane: lane.credit + lane.weight)}
    take_turns(first, [idle, busy])

    assert abs(idle.credit) <= 1
    assert abs(busy.credit) <= 1


def test_a_queue_that_its_own_limit_held_up_for_long_gets_no_more_than_its_share() -> None:
    full, busy, idle = lanes = Lane("full"), Lane("busy"), Lane("idle")
    idle.may_hold_work = False
    for _ in range(100):
        take_turns({busy}, lanes)
    idle.may_hold_work = True
    served = []
    for _ in range(9):
        lane = max(lanes, key=lambda lane: lane.credit + lane.weight)
        take_turns({lane}, lanes)
        served.append(lane)

    assert all(2 <= served.count(lane) <= 5 for lane in (full, busy, idle))


def test_whoever_is_served_together_with_all_others_does_not_fall_behind() -> None:
    lanes = Lane("critical", weight=5), Lane("default")
    for _ in range(100):
        take_turns({*lanes}, lanes)

    assert [lane.credit for lane in lanes] == [0, 0]


@pytest.mark.django_db(transaction=True)
def test_a_job_is_claimed_before_kinds_are_looked_at_that_have_none() -> None:
    subject = engine(threads=8)

    assert [lanes_looked_at(subject)[0] for _ in range(3)] == [Lane] * 3


@pytest.mark.django_db(transaction=True)
def test_looks_in_vain_give_no_right_to_go_first() -> None:
    subject = engine(threads=8)
    for lane in subject.fetcher.lanes:
        lane.credit = 0 if type(lane) is Lane else 5
    lanes_looked_at(subject)

    assert lanes_looked_at(subject)[0] is Lane


@pytest.mark.django_db(transaction=True)
def test_what_is_told_to_stop_during_a_look_claims_nothing_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """For whoever breaks off what it waits for may have hit the look."""
    subject = engine()
    noop.enqueue()

    def told_to_stop(lane: Lane) -> bool:
        subject.fetcher.stopping.set()
        return True

    subject.fetcher.lanes.look_everywhere()
    monkeypatch.setattr(subject.fetcher.lanes, "holds_work", told_to_stop)

    assert subject.fetcher.rounds.fill() == 0
    assert Job.objects.ready().exists()


def lanes_looked_at(subject: Engine) -> list[type[Lane]]:
    """What sorts of lanes are looked at, one after the other, for one job of a plain kind."""
    noop.enqueue()
    looked_at: list[type[Lane]] = []
    claim = Lane.claim

    def watched(lane: Lane, limit: int, **options: Any) -> list[ClaimedJob]:
        looked_at.append(type(lane))
        return claim(lane, limit, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Lane, "claim", watched)
        subject.fetcher.lanes.look_everywhere()
        subject.fetcher.rounds.fill()
    assert not Job.objects.ready().exists()
    return looked_at
