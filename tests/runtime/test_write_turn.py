"""Where one session writes at a time, a worker that runs all jobs leaves gaps for others."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from forge_jobs.runtime import write_turn
from forge_jobs.runtime.write_turn import WriteTurn
from tests.running import PATIENCE


class Soloist:
    """A worker, as far as it matters here."""

    def __init__(self) -> None:
        self.jobs_started = 1
        self.current: object | None = "a job"


@pytest.fixture
def turn(monkeypatch: pytest.MonkeyPatch) -> WriteTurn:
    """One in which nobody loses patience."""
    monkeypatch.setattr(write_turn, "PATIENCE", PATIENCE)
    monkeypatch.setattr(write_turn, "LONGEST_GAP", PATIENCE)
    turn = WriteTurn()
    turn.soloist = Soloist()
    return turn


@contextmanager
def writer(turn: WriteTurn) -> Iterator[tuple[Event, Event]]:
    """One who writes in a thread: when it has begun to, and when it may end."""
    writes, may_end = Event(), Event()

    def write() -> None:
        turn.take()
        writes.set()
        may_end.wait(PATIENCE)
        turn.give_back()

    thread = Thread(target=write, daemon=True)
    thread.start()
    try:
        yield writes, may_end
    finally:
        may_end.set()
        thread.join(PATIENCE)
        assert not thread.is_alive()


def wait_until_wanted(turn: WriteTurn) -> None:
    moment = Event()
    for _ in range(int(PATIENCE * 1_000)):
        if turn.is_wanted:
            return
        moment.wait(0.001)
    pytest.fail("nobody wants to write")


def test_a_write_waits_for_the_end_of_the_job_and_the_next_job_for_the_end_of_the_write(
    turn: WriteTurn,
) -> None:
    with writer(turn) as (writes, may_end):
        wait_until_wanted(turn)
        assert not writes.is_set()
        soloist = Thread(target=turn.make_way, daemon=True)
        soloist.start()
        assert writes.wait(PATIENCE)
        assert soloist.is_alive()
        may_end.set()
        soloist.join(PATIENCE)
        assert not soloist.is_alive()
    assert not turn.is_wanted


def test_a_write_waits_no_longer_than_its_patience_for_a_long_job(
    turn: WriteTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_turn, "PATIENCE", 0.001)
    with writer(turn) as (writes, _):
        assert writes.wait(PATIENCE)


def test_a_job_waits_no_longer_than_a_gap_for_a_long_write(
    turn: WriteTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(write_turn, "LONGEST_GAP", 0.001)
    with writer(turn) as (writes, may_end):
        wait_until_wanted(turn)
        turn.make_way()
        assert writes.wait(PATIENCE)
        assert not may_end.is_set()
        assert not turn.is_wanted  # nor does the next one wait for it


@pytest.mark.parametrize("runs", [True, False], ids=["without a job", "of nobody"])
def test_a_write_does_not_wait_for_a_soloist(turn: WriteTurn, runs: bool) -> None:
    if runs and turn.soloist:
        turn.soloist = idle = Soloist()
        idle.current = None
    else:
        turn.soloist = None
    with writer(turn) as (writes, _):
        assert writes.wait(PATIENCE)
    assert not turn.is_wanted


def test_a_soloist_that_writes_itself_lets_the_one_go_first_that_waits_for_it(
    turn: WriteTurn,
) -> None:
    has_written = Event()

    class Writing(Thread):
        jobs_started = 1
        current = "a job"

        def run(self) -> None:
            turn.take()
            has_written.set()
            turn.give_back()

    turn.soloist = soloist = Writing(daemon=True)
    with writer(turn) as (writes, may_end):
        wait_until_wanted(turn)
        soloist.start()
        assert writes.wait(PATIENCE)
        assert not has_written.is_set()
        may_end.set()
        assert has_written.wait(PATIENCE)


def test_writes_take_turns_without_a_soloist(turn: WriteTurn) -> None:
    turn.soloist = None
    with writer(turn) as (first, may_end):
        assert first.wait(PATIENCE)
        with writer(turn) as (second, _):
            assert not second.is_set()
            may_end.set()
            assert second.wait(PATIENCE)


def test_only_the_first_write_waits_for_a_long_job(
    turn: WriteTurn, monkeypatch: pytest.MonkeyPatch
) -> None:
    soloist = turn.soloist
    assert soloist
    monkeypatch.setattr(write_turn, "PATIENCE", 0.001)
    with writer(turn) as (writes, _):
        assert writes.wait(PATIENCE)
    monkeypatch.setattr(write_turn, "PATIENCE", PATIENCE)
    with writer(turn) as (writes, _):
        assert writes.wait(PATIENCE / 2)
    assert not turn.is_wanted

    soloist.jobs_started += 1
    with writer(turn) as (_, may_end):
        wait_until_wanted(turn)
        may_end.set()
        turn.make_way()


def test_a_soloist_that_is_dismissed_waits_for_nobody(turn: WriteTurn) -> None:
    with writer(turn) as (writes, may_end):
        wait_until_wanted(turn)
        soloist = Thread(target=turn.make_way, daemon=True)
        soloist.start()
        assert writes.wait(PATIENCE)
        turn.dismiss()
        soloist.join(PATIENCE / 2)
        assert not soloist.is_alive()
        assert not may_end.is_set()
