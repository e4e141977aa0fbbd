"""Lanes learn which queues may hold work, and are claimed from one by one or together."""

from contextlib import nullcontext
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from forge_jobs import job
from forge_jobs.db.rows import ClaimedJob, Position
from forge_jobs.models import Job, Process
from forge_jobs.runtime.claiming import admission as admission_module
from forge_jobs.runtime.claiming import lane as lane_module
from forge_jobs.runtime.claiming import lanes as lanes_module
from forge_jobs.runtime.claiming import resting as resting_module
from forge_jobs.runtime.claiming import together as together_module
from forge_jobs.runtime.claiming.admission import Admission
from forge_jobs.runtime.claiming.few_kinds import ScarceLane
from forge_jobs.runtime.claiming.kind_limits import KindLimits
from forge_jobs.runtime.claiming.lane import BUSY_SECONDS, Lane
from forge_jobs.runtime.claiming.lanes import Lanes
from forge_jobs.runtime.claiming.resting import LONGEST_AWAY
from forge_jobs.runtime.claiming.rings import ENDED
from forge_jobs.runtime.claiming.together import claim_together
from forge_jobs.wake.local import ANY, Bell
from tests.conftest import NOON
from tests.rows import stored_job


class Claims:
    """Stands in for the database: notes from where each claim starts, and what a look costs."""

    def __init__(
        self, monkeypatch: pytest.MonkeyPatch, *, front_seconds: float, found: bool = True
    ) -> None:
        self.starts: list[str] = []
        self.front_seconds = front_seconds
        self.found = found
        self.holding: dict[str, int] = {}
        self.looks: list[float] = []
        self.now = 0.0
        monkeypatch.setattr(Job.objects, "claim", self.claim)
        monkeypatch.setattr(Job.objects, "claim_among", self.claim_among)
        monkeypatch.setattr(Job.objects, "ready_queues", self.ready_queues)
        for module in (
            lane_module,
            lanes_module,
            resting_module,
            together_module,
            admission_module,
        ):
            monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: self.now))

    def claim(self, *, limit: int, after: Position | None, **terms: Any) -> list[ClaimedJob]:
        self.starts.append("position" if after else "front")
        self.now += 0.0 if after else self.front_seconds
        job = ClaimedJob(1, "default", "app.noop", "{}", "{}", 0, NOON, 1, None, None)
        return [job] * limit * self.found

    def claim_among(self, *, queues: list[str], limit: int, **terms: Any) -> list[ClaimedJob]:
        self.now += self.front_seconds
        job = ClaimedJob(1, "", "app.noop", "{}", "{}", 0, NOON, 1, None, None)
        found = [job._replace(queue=each) for each in queues for _ in range(self.held_by(each))]
        return found[:limit]

    def held_by(self, queue: str) -> int:
        return self.holding.get(queue, 0)

    def ready_queues(self) -> list[str]:
        self.looks.append(self.now)
        self.now += self.front_seconds
        return list(self.holding)


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


def test_a_look_at_the_front_that_waited_for_the_disk_is_not_taken_for_dear(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims, lane = Claims(monkeypatch, front_seconds=0.002), Lane("default")
    for claims.front_seconds, entrusted in ((0.002, 0), (0.1, 3), (0.002, 3)):
        lane.entrust(entrusted)
        lane.claim(5, kinds=["app.noop"], process=Process(name="here"))

    assert claims.starts == ["front", "front", "front"]


def lanes_of(count: int, *, limited: bool = False, on_terms: str = "") -> Lanes:
    steering: Any = SimpleNamespace(
        closed=frozenset(),
        has_terms=lambda queue: queue == on_terms,
    )
    no_claims: Any = None
    no_desks: Any = []
    kinds = KindLimits(no_claims, [limited_kind.kind] if limited else [])
    queues = {f"queue-{number}": 1 for number in range(count)}
    return Lanes(queues, kinds=kinds, desks=no_desks, steering=steering)


@job(kind="tests.lanes.limited", max_concurrent_per_process=1)
def limited_kind() -> None: ...


@pytest.mark.parametrize(
    ("front_seconds", "others", "rest"),
    [(0.1, True, LONGEST_AWAY), (0.01, True, 0.5), (0.0001, True, 0.0), (0.1, False, 0.0)],
    ids=["long walk", "walk", "short walk", "nothing else there"],
)
def test_a_lane_that_walked_in_vain_over_jobs_of_others_rests(
    front_seconds: float, others: bool, rest: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims = Claims(monkeypatch, front_seconds=front_seconds, found=False)
    lanes = lanes_of(1, limited=True)
    plain, scarce = lanes
    plain.allowance = int(others)
    scarce.claim(5, kinds=["tests.lanes.limited"], process=Process(name="here"))
    lanes.spare(scarce)

    assert scarce.opens_at == pytest.approx(claims.now + rest if rest else 0.0)
    assert plain.opens_at == 0.0


def test_the_end_of_a_limited_job_lets_the_lanes_of_its_kind_look_and_no_other() -> None:
    lanes, bell = lanes_of(2, limited=True), Bell()
    for lane in lanes:
        lane.may_hold_work = False
    bell.ring(ENDED + "tests.lanes.limited")
    lanes.hear(bell, 0.0)

    assert {type(lane) for lane in lanes.open()} == {ScarceLane}
    assert len(lanes.open()) == 2


@pytest.mark.django_db
def test_of_many_queues_only_those_with_jobs_are_claimed_from_at_the_start() -> None:
    stored_job(queue="queue-3")
    lanes = lanes_of(20)
    lanes.look_first()

    assert [lane.queue for lane in lanes.open()] == ["queue-3"]


def together(lanes: Lanes) -> list[list[int]]:
    """Which queues, by their numbers, each claim is to be from."""
    return [[int(lane.queue[6:]) for lane in some] for some in lanes.in_turn()]


def test_many_queues_are_claimed_from_together_half_of_those_that_are_left_at_once() -> None:
    assert together(lanes_of(6)) == [[0, 1, 2], [3, 4], [5]]


def test_of_many_queues_all_but_the_last_with_jobs_may_be_claimed_ahead_from() -> None:
    left = [{lane.left_elsewhere for lane in lanes} for lanes in lanes_of(6).in_turn()]

    assert left == [{3}, {1}, {0}]


def test_of_few_queues_nothing_is_taken_to_be_elsewhere_for_nobody_has_looked() -> None:
    lanes = lanes_of(3)

    assert together(lanes) == [[0], [1], [2]]
    assert [lane.left_elsewhere for lane in lanes] == [0, 0, 0]


def test_a_queue_on_terms_of_its_own_is_claimed_from_alone() -> None:
    assert together(lanes_of(8, on_terms="queue-1")) == [[0], [1], [2, 3, 4], [5, 6], [7]]


def test_claims_together_find_out_which_queues_have_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims, lanes = Claims(monkeypatch, front_seconds=0.001), list(lanes_of(6))
    claims.holding = {"queue-1": 2, "queue-2": 9}
    claimed = claim_together(lanes, 5, process=Process(name="here"))

    assert [job.queue for job in claimed] == ["queue-1"] * 2 + ["queue-2"] * 3
    assert [lane.may_hold_work for lane in lanes] == [False, False, True, True, True, True]


def test_a_queue_that_fills_a_claim_is_claimed_from_alone_from_then_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims, lanes = Claims(monkeypatch, front_seconds=0.001), lanes_of(6)
    claims.holding = {"queue-0": 9}
    claim_together(list(lanes), 5, process=Process(name="here"))

    assert together(lanes) == [[0], [1, 2, 3], [4], [5]]


def test_after_a_look_at_many_fronts_that_took_long_each_goes_on_alone_for_a_while(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims, lanes = Claims(monkeypatch, front_seconds=0.05), lanes_of(6)
    claims.holding = {"queue-2": 1}
    claim_together(list(lanes)[:3], 5, process=Process(name="here"))
    for lane in lanes:
        lane.may_hold_work = True

    assert together(lanes) == [[0], [1], [2], [3, 4], [5]]
    claims.now += 1.0
    assert together(lanes) == [[0, 1, 2], [3, 4], [5]]


def test_many_queues_are_not_looked_at_each_time_that_somebody_writes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claims, lanes, bell = Claims(monkeypatch, front_seconds=0.01), lanes_of(6), Bell()
    for moment in (1.0, 1.05, 1.1, 1.2):
        claims.now = moment
        bell.ring(ANY)
        lanes.hear(bell, 0.0)
    claims.now = 9.0

    assert not lanes.hear(bell, 0.0)
    assert claims.looks == [1.0, 1.2]


def test_a_look_that_was_put_off_is_made_up_for(monkeypatch: pytest.MonkeyPatch) -> None:
    claims, lanes, bell = Claims(monkeypatch, front_seconds=0.01), lanes_of(6), Bell()
    lanes.look_first()
    claims.holding = {"queue-4": 1}
    bell.ring(ANY)

    assert lanes.hear(bell, 0.0)
    assert not lanes.open()
    claims.now += 0.1
    assert lanes.hear(bell, 0.0)
    assert [lane.queue for lane in lanes.open()] == ["queue-4"]


@pytest.mark.parametrize("served", [1, 6], ids=["one queue", "many queues"])
def test_a_queue_that_waited_in_vain_for_a_worker_is_claimed_from_though_all_are_supplied(
    served: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims, lanes = Claims(monkeypatch, front_seconds=0.001), list(lanes_of(served))
    claims.holding = {"queue-0": 9}
    subject = admission(threads=2, free_threads=-100)

    def claim() -> list[ClaimedJob]:
        if served > 1:
            return subject.claim_together(lanes, 50)
        return subject.claim(lanes[0], 50, kinds=["app.noop"])

    assert claim() == []
    assert claim() == []
    claims.now += BUSY_SECONDS
    assert len(claim()) == 3


def admission(*, threads: int, free_threads: int) -> Admission:
    steering: Any = SimpleNamespace(budget_of=lambda queue: "")
    load: Any = SimpleNamespace(threads=threads, free_threads=lambda: free_threads)
    return Admission(
        Process(name="here"),
        steering=steering,
        doors={},
        load=load,
        writing=nullcontext(),
        stopping=Event(),
    )
