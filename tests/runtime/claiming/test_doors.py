"""The door of a limited queue: no more begin than there are slots, and none is left idle."""

import time
from itertools import count
from threading import Thread
from types import SimpleNamespace

import pytest

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime.claiming import doors
from forge_jobs.runtime.claiming.doors import GLANCE_SECONDS, LONGEST_WAIT, Door
from forge_jobs.runtime.claiming.rings import FREED
from forge_jobs.wake.local import Bell
from tests.conftest import NOON

FOREVER = float("inf")
numbers = count(1)


def claimed() -> ClaimedJob:
    return ClaimedJob(next(numbers), "default", "app.noop", "{}", "{}", 0, NOON, 1, 5, None)


class Tended:
    """A door, what has gone on through it, and a clock."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, slots: int) -> None:
        self.now = 100.0
        monkeypatch.setattr(doors, "time", SimpleNamespace(monotonic=lambda: self.now))
        self.bell, self.through = Bell(), list[ClaimedJob]()
        self.door = Door("default", bell=self.bell, forward=self.through.append)
        self.door.hold(until=FOREVER)
        self.door.limit_to(slots)
        self.bell.wait(0.0)

    def put(self, jobs: int) -> None:
        for _ in range(jobs):
            self.door.put(claimed())

    def end(self, seconds: float = 0.001) -> None:
        self.door.leave(self.through.pop(0), seconds=seconds)


def test_as_many_go_on_as_there_are_slots_and_the_next_when_one_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tended = Tended(monkeypatch, slots=2)
    tended.put(4)
    assert (len(tended.through), tended.door.waiting, tended.door.used) == (2, 2, 2)
    tended.end()

    assert (len(tended.through), tended.door.waiting, tended.door.used) == (2, 1, 2)


def test_fewer_slots_let_nobody_on_until_enough_have_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    tended = Tended(monkeypatch, slots=3)
    tended.put(4)
    assert tended.door.limit_to(1) == 3
    tended.end()
    tended.end()
    assert tended.door.waiting == 1
    tended.end()

    assert (len(tended.through), tended.door.waiting) == (1, 0)


def test_a_job_begins_only_with_a_slot_that_nobody_takes_for_free(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tended = Tended(monkeypatch, slots=1)
    tended.put(1)
    assert tended.door.may_begin(tended.through[0])
    assert not tended.door.may_begin(claimed())  # of before there was a door
    tended.door.hold(until=tended.now)

    assert not tended.door.may_begin(tended.through[0])
    assert tended.door.room() == 0


def test_there_is_room_for_the_slots_and_for_what_they_will_soon_be_through_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tended = Tended(monkeypatch, slots=2)
    assert (tended.door.room(), tended.door.free()) == (2, 2)
    tended.put(2)
    assert (tended.door.room(), tended.door.free()) == (0, 0)
    tended.end(seconds=0.01)
    assert tended.bell.wait(0.0) == {FREED + "default": 1}

    assert (tended.door.room(), tended.door.free()) == (1 + 10, 1)
    tended.put(11)
    assert tended.door.room() == 0
    for _ in range(4):
        tended.end(seconds=0.01)
    assert not tended.bell.wait(0.0)
    tended.end(seconds=0.01)
    assert tended.bell.wait(0.0) == {FREED + "default": 1}
    assert tended.door.room() == 5


def test_what_is_wanted_is_what_was_used_of_late_or_all_threads_if_that_was_not_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tended = Tended(monkeypatch, slots=4)
    tended.put(2)
    assert tended.door.wanted(threads=8) == 2
    tended.end()
    tended.end()
    assert tended.door.wanted(threads=8) == 2
    tended.now += GLANCE_SECONDS + 0.1
    assert tended.door.wanted(threads=8) == 2
    assert tended.door.wanted(threads=8) == 0
    tended.put(5)
    assert tended.door.wanted(threads=8) == 8


def test_what_waits_in_vain_is_given_back(monkeypatch: pytest.MonkeyPatch) -> None:
    tended = Tended(monkeypatch, slots=1)
    tended.put(3)
    assert tended.door.take_stale() == []
    tended.now += LONGEST_WAIT + 0.1
    assert len(tended.door.take_stale()) == 2
    tended.put(1)
    tended.door.limit_to(0)

    assert len(tended.door.take_stale()) == 1


def test_where_the_limit_is_lifted_all_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    tended = Tended(monkeypatch, slots=1)
    tended.put(3)
    tended.door.lift()
    tended.put(1)

    assert len(tended.through) == 4
    assert tended.door.may_begin(claimed())


@pytest.mark.parametrize("slots", [1, 3])
def test_threads_that_hurry_through_never_exceed_the_slots(slots: int) -> None:
    through: list[ClaimedJob] = []
    door, most = Door("default", bell=Bell(), forward=through.append), 0
    door.hold(until=FOREVER)
    door.limit_to(slots)
    deadline = time.monotonic() + 30

    def work() -> None:
        nonlocal most
        while door.waiting or through:
            assert time.monotonic() < deadline
            try:
                job = through.pop()
            except IndexError:
                continue
            most = max(most, door.used)
            door.leave(job, seconds=0.001)

    for _ in range(2_000):
        door.put(claimed())
    threads = [Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert (door.waiting, door.used) == (0, 0)
    assert most <= slots
