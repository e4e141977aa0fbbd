"""Lanes of few kinds hear of their queue's jobs, most of which are others': they ask together."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext

from forge_jobs import Chunk, chunk_job, job
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job
from forge_jobs.runtime.claiming import few_kinds as few_kinds_module
from forge_jobs.runtime.claiming import lanes as lanes_module
from forge_jobs.runtime.claiming import resting as resting_module
from forge_jobs.runtime.claiming.fetcher import Fetcher
from forge_jobs.runtime.claiming.few_kinds import LaneOfFewKinds
from forge_jobs.runtime.claiming.lane import FRONT_SHARE, Lane
from forge_jobs.runtime.claiming.resting import LONGEST_AWAY
from forge_jobs.wake.local import ANY, Bell
from tests.conftest import NOON
from tests.rows import stored_job
from tests.running import engine

pytestmark = pytest.mark.django_db(transaction=True)

LIMITED = "tests.few.limited"
CHUNKED = "tests.few.chunked"


@job(kind=LIMITED, max_concurrent_per_process=1)
def limited() -> None: ...


@chunk_job(kind=CHUNKED, size=4)
def chunked(chunk: Chunk[object]) -> None: ...


@pytest.fixture
def fetcher() -> Fetcher:
    """Of two queues, of which it knows that they hold nothing."""
    fetcher = engine(queues=("default", "other")).fetcher
    for lane in fetcher.lanes:
        lane.may_hold_work = False
    return fetcher


def lanes_that_hear(fetcher: Fetcher, *queues: str) -> list[LaneOfFewKinds]:
    """Of few kinds those that take it that there may be something for them in these queues."""
    bell = Bell()
    for queue in queues:
        bell.ring(queue)
    fetcher.lanes.hear(bell, 0.0)
    return lanes_with_work(fetcher)


def lanes_with_work(fetcher: Fetcher) -> list[LaneOfFewKinds]:
    return [lane for lane in fetcher.lanes.open() if isinstance(lane, LaneOfFewKinds)]


def statements_of_a_look(fetcher: Fetcher, lane: LaneOfFewKinds) -> int:
    with CaptureQueriesContext(connection) as captured:
        fetcher.lanes.holds_work(lane)
    return len(captured)


def test_of_all_that_heard_of_a_job_only_those_it_is_for_are_to_claim(fetcher: Fetcher) -> None:
    stored_job(queue="other", kind=LIMITED)
    stored_job(queue="default", kind=CHUNKED)
    told = lanes_that_hear(fetcher, "default", "other")
    found = [lane for lane in told if fetcher.lanes.holds_work(lane)]

    assert len(told) > 2
    assert [(lane.queue, LIMITED in lane.kinds) for lane in found] == [
        ("other", True),
        ("default", False),
    ]


def test_what_was_asked_about_once_is_known(fetcher: Fetcher) -> None:
    first, *others = lanes_that_hear(fetcher, "default")

    assert statements_of_a_look(fetcher, first) > 0
    assert [statements_of_a_look(fetcher, lane) for lane in others] == [0] * len(others)
    assert not lanes_with_work(fetcher)


def test_a_lane_that_is_known_to_hold_work_need_not_ask_whatever_it_hears(
    fetcher: Fetcher,
) -> None:
    told = lanes_that_hear(fetcher, "default")
    for lane in told:
        lane.is_rumour = False
    lanes_that_hear(fetcher, "default")

    assert [statements_of_a_look(fetcher, lane) for lane in told] == [0] * len(told)
    assert lanes_with_work(fetcher) == told


def test_a_single_lane_that_heard_something_claims_at_once(fetcher: Fetcher) -> None:
    alone, *others = lanes_that_hear(fetcher, "default")
    for lane in others:
        lane.may_hold_work = False

    assert statements_of_a_look(fetcher, alone) == 0
    assert lanes_with_work(fetcher) == [alone]


def test_a_job_that_is_entrusted_is_no_rumour(fetcher: Fetcher) -> None:
    told = lanes_that_hear(fetcher, "default")
    told[0].entrust(1)
    assert fetcher.lanes.holds_work(told[0])
    assert not fetcher.lanes.holds_work(told[1])

    assert lanes_with_work(fetcher) == told[:1]


def test_of_a_kind_that_is_at_its_limit_nobody_asks_for_more(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetcher.claims.add(ClaimedJob(1, "default", LIMITED, "{}", "{}", 0, NOON, 1, 5, None))
    asked: list[str] = []

    def ready_among(queues: dict[tuple[str, ...], list[str]], *, depth: object) -> set[Any]:
        asked.extend(kind for kinds in queues for kind in kinds)
        return set()

    monkeypatch.setattr(Job.objects, "ready_among", ready_among)
    fetcher.lanes.holds_work(lanes_that_hear(fetcher, "default")[0])

    assert CHUNKED in asked
    assert LIMITED not in asked


def test_where_it_cannot_be_known_now_each_is_to_claim(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ready_among(queues: object, *, depth: object) -> set[Any]:
        raise OperationalError("The server is away.")

    monkeypatch.setattr(Job.objects, "ready_among", ready_among)
    told = lanes_that_hear(fetcher, "default")

    assert all(fetcher.lanes.holds_work(lane) for lane in told)


def test_a_process_that_begins_looks_not_far_in_a_queue_that_is_full_of_others_jobs(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1_000.0)
    for module in lanes_module, few_kinds_module, resting_module:
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    monkeypatch.setattr(few_kinds_module, "NEAR", 1)
    stored_job(queue="default")
    stored_job(queue="default", kind=LIMITED)
    fetcher.lanes.look_first()
    for lane in fetcher.lanes:
        lane.allowance = 3 * (type(lane) is Lane)

    assert not any(fetcher.lanes.holds_work(lane) for lane in lanes_with_work(fetcher))
    assert not lanes_with_work(fetcher)
    clock.now += LONGEST_AWAY
    found = [lane for lane in lanes_with_work(fetcher) if fetcher.lanes.holds_work(lane)]
    assert [(lane.queue, LIMITED in lane.kinds) for lane in found] == [("default", True)]


def test_what_is_near_the_front_of_a_full_queue_is_found_at_once(fetcher: Fetcher) -> None:
    stored_job(queue="default", kind=LIMITED)
    fetcher.lanes.look_first()
    for lane in fetcher.lanes:
        lane.allowance = 3 * (type(lane) is Lane)

    found = [lane for lane in lanes_with_work(fetcher) if fetcher.lanes.holds_work(lane)]
    assert [(lane.queue, LIMITED in lane.kinds) for lane in found] == [("default", True)]


def test_a_look_that_took_long_puts_off_the_next_of_these_lanes_and_of_no_other(
    fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(now=1_000.0)

    def ready_among(queues: object, *, depth: object) -> set[Any]:
        clock.now += 0.02
        return set()

    monkeypatch.setattr(Job.objects, "ready_among", ready_among)
    for module in lanes_module, resting_module:
        monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock.now))
    fetcher.lanes.holds_work(lanes_that_hear(fetcher, "default")[0])

    assert {lane.queue for lane in lanes_that_hear(fetcher, ANY)} == {"other"}
    assert {lane.queue for lane in fetcher.lanes.open()} == {"default", "other"}
    clock.now += FRONT_SHARE * 0.02
    assert {lane.queue for lane in lanes_with_work(fetcher)} == {"default", "other"}
