"""How much is claimed: as much as can be used soon, for each sort of lane."""

import time

import pytest

from forge_jobs import Chunk, chunk_job
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming.buffer import LONGEST_WAIT
from forge_jobs.runtime.claiming.few_kinds import ChunkLane
from forge_jobs.runtime.claiming.lanes import Lanes
from forge_jobs.wake.local import NEVER, Bell
from tests.app.jobs import noop
from tests.conftest import NOON
from tests.rows import claim
from tests.running import engine

pytestmark = pytest.mark.django_db(transaction=True)

ONE = ClaimedJob(1, "default", "app.noop", "{}", "{}", 0, NOON, 1, 5, None)


def test_while_short_jobs_stream_a_chunk_kind_without_a_call_has_room_for_one() -> None:
    @chunk_job(kind="tests.together", size=4)
    def together(chunk: Chunk[object]) -> None: ...

    fetcher = engine(threads=2).fetcher
    (lane,) = [
        lane
        for lane in fetcher.lanes
        if isinstance(lane, ChunkLane) and lane.desk.handler.kind == "tests.together"
    ]
    fetcher.load.claimed = 2 + 20  # its workers are busy, and others wait
    assert fetcher.room.of(lane) == 0

    fetcher.room.prefetch.jobs = 20
    assert fetcher.room.of(lane) == 4

    lane.found_nothing_at = time.monotonic() + 60.0  # a moment ago
    assert fetcher.room.of(lane) == 0
    fetcher.load.claimed = 0
    assert fetcher.room.of(lane) > 0


def test_a_soloist_has_as_much_ahead_of_it_as_one_worker_needs() -> None:
    subject = engine(threads=8)
    worker = subject.workers.active[0]
    worker.jobs_run, worker.seconds = 100, 0.1
    subject.fetcher.load.claimed = 100
    subject.fetcher.room.for_threads()
    assert subject.fetcher.room.prefetch.jobs == 400  # of 1 ms each, for eight

    subject.workers.solo.is_on = True
    worker.jobs_run, worker.seconds = 200, 0.2
    subject.fetcher.load.claimed = 200
    subject.fetcher.room.for_threads()
    assert subject.fetcher.room.prefetch.jobs == 100


@pytest.mark.parametrize(("prefetched", "ahead"), [(0, 0), (1, 0), (2, 1), (500, 2)])
def test_of_who_comes_next_with_a_key_no_more_are_claimed_than_may_begin_at_once(
    prefetched: int, ahead: int
) -> None:
    fetcher = engine(threads=2).fetcher
    fetcher.claims.add(*(ONE._replace(id=number) for number in range(10)))
    fetcher.load.claimed = 1  # and so one worker is free
    fetcher.room.prefetch.jobs = prefetched

    assert fetcher.room.for_heirs(ended=9) == 1 + ahead


def test_who_has_ended_a_job_is_free_though_its_worker_has_not_said_so() -> None:
    fetcher = engine(threads=2).fetcher
    fetcher.claims.add(ONE, ONE._replace(id=2))
    fetcher.load.claimed = 2

    assert fetcher.room.for_heirs(ended=1) == 1


@pytest.fixture
def naps(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """For how many seconds fetchers would have slept."""
    naps: list[float] = []

    def hear(_lanes: Lanes, _bell: Bell, seconds: float) -> bool:
        naps.append(seconds)
        return True

    monkeypatch.setattr(Lanes, "hear", hear)
    return naps


def test_a_fetcher_sleeps_no_longer_than_jobs_may_wait_for_its_workers(naps: list[float]) -> None:
    subject = engine()
    fetcher = subject.fetcher
    noop.enqueue()
    fetcher.buffer.put(*claim(subject.process))
    fetcher.buffer.filled_at -= 0.75
    fetcher.sleep()

    assert naps[0] <= LONGEST_WAIT - 0.75


def test_a_fetcher_sleeps_though_a_call_whose_jobs_were_given_back_waits_for_a_worker(
    naps: list[float],
) -> None:
    @chunk_job(kind="tests.given_back", size=4)
    def given_back(chunk: Chunk[object]) -> None: ...

    fetcher = engine().fetcher
    fetcher.buffer.put(ONE._replace(kind="tests.given_back"))
    fetcher.buffer.filled_at -= LONGEST_WAIT
    fetcher.run_once()

    assert fetcher.load.given_back == 1
    assert naps[0] > LONGEST_WAIT / 2


def test_a_fetcher_tells_when_it_last_found_work() -> None:
    fetcher = engine().fetcher
    fetcher.poll_seconds = 0.0
    fetcher.run_once()
    assert fetcher.bell.found_at == NEVER

    before = time.monotonic()
    noop.enqueue()
    fetcher.lanes.look_everywhere()
    fetcher.run_once()
    assert fetcher.bell.found_at >= before


def test_news_can_wait_while_jobs_wait_for_workers() -> None:
    fetcher = engine().fetcher
    fetcher.poll_seconds = 0.0
    fetcher.sleep()
    assert not fetcher.bell.can_wait

    fetcher.buffer.put(ONE)
    fetcher.sleep()
    assert fetcher.bell.can_wait
