"""One worker takes all jobs while several would only hand the interpreter's lock about."""

from itertools import count
from threading import Barrier, Thread

import pytest

from forge_jobs import enqueue_many, job
from forge_jobs.models import Job
from forge_jobs.runtime.running import solo as solo_module
from forge_jobs.runtime.running import worker as worker_module
from forge_jobs.runtime.running.solo import (
    LONGEST_PAUSE,
    LONGEST_SOLO,
    SHORTEST_PAUSE,
    TRIAL_SECONDS,
    WINDOW_SECONDS,
    Count,
    Pace,
    Solo,
)
from forge_jobs.runtime.write_turn import WriteTurn
from forge_jobs.states import State
from tests.running import PATIENCE, drain


class Player:
    """A worker, as far as it matters here."""

    def __init__(self) -> None:
        self.jobs_started = 0
        self.current: object | None = None


class Hall:
    """A `Solo`, and a process of which a test says what it does."""

    def __init__(self) -> None:
        self.count = Count(1_000.0, 0, 0.0)
        self.turn = WriteTurn()
        self.solo = Solo(lambda: self.count, turn=self.turn)
        self.player = Player()
        self.solo.consider(self.player)

    def pass_by(
        self, *, jobs_per_second: float, busy: float = 1.0, seconds: float = WINDOW_SECONDS
    ) -> bool:
        """Let so much time pass, in which so much is done; whether one alone takes jobs then."""
        at, jobs, processor = self.count
        done = round(jobs_per_second * seconds)
        self.count = Count(at + seconds * 1.001, jobs + done, processor + seconds * busy)
        self.solo.consider(self.player)
        return self.solo.is_on

    def begin(self, *, jobs_per_second: float = 1_000) -> None:
        assert not self.pass_by(jobs_per_second=jobs_per_second)
        assert self.pass_by(jobs_per_second=jobs_per_second)


def test_one_alone_takes_jobs_once_all_have_had_but_the_interpreter_to_wait_for() -> None:
    Hall().begin()


@pytest.mark.parametrize(
    ("jobs_per_second", "busy"),
    [
        pytest.param(1_000, 0.8, id="they wait for something else"),
        pytest.param(1_000, 1.6, id="they compute side by side"),
        pytest.param(20_000, 1.0, id="they are so short that the process has more to do with them"),
        pytest.param(100, 1.0, id="they are too few to tell"),
    ],
)
def test_all_take_jobs_if(jobs_per_second: float, busy: float) -> None:
    hall = Hall()
    assert not any(hall.pass_by(jobs_per_second=jobs_per_second, busy=busy) for _ in range(10))


def test_a_window_that_differs_much_from_the_one_before_tells_nothing() -> None:
    hall = Hall()
    assert not hall.pass_by(jobs_per_second=300)  # a process has just begun
    assert not hall.pass_by(jobs_per_second=1_000)
    assert hall.pass_by(jobs_per_second=1_000)


def test_one_alone_goes_on_while_it_ends_no_fewer_jobs_and_then_all_are_tried_again() -> None:
    hall = Hall()
    hall.begin()
    assert all(
        hall.pass_by(jobs_per_second=1_500) for _ in range(round(LONGEST_SOLO / WINDOW_SECONDS) - 1)
    )
    assert not hall.pass_by(jobs_per_second=1_500)
    hall.begin()  # at once


def test_a_trial_that_is_no_gain_is_followed_by_ever_longer_pauses() -> None:
    hall = Hall()
    hall.begin()
    pauses = []
    for _ in range(9):
        assert not hall.pass_by(jobs_per_second=500, seconds=TRIAL_SECONDS)
        windows = next(n for n in count(1) if hall.pass_by(jobs_per_second=1_000))
        pauses.append(windows * WINDOW_SECONDS)

    shortest, longest = SHORTEST_PAUSE, LONGEST_PAUSE
    wanted = [min(shortest * 2**n, longest) for n in range(9)]
    assert pauses == [pytest.approx(pause, abs=2 * WINDOW_SECONDS) for pause in wanted]


def test_the_first_moments_of_a_trial_do_not_decide_it() -> None:
    hall = Hall()
    hall.begin()
    assert hall.pass_by(jobs_per_second=500)
    assert hall.pass_by(jobs_per_second=2_000)


@pytest.mark.parametrize("is_wanted", [False, True], ids=["", "though others want to write"])
def test_a_soloist_whose_job_takes_long_gets_help(is_wanted: bool) -> None:
    hall = Hall()
    hall.begin()
    hall.player.current = "a job"
    hall.turn.is_wanted = is_wanted
    stand_aside(hall)
    assert not hall.solo.is_on
    assert not any(hall.pass_by(jobs_per_second=1_000) for _ in range(3))  # for a while


def test_a_soloist_that_makes_way_is_not_without_jobs() -> None:
    hall = Hall()
    hall.begin()
    hall.turn.is_wanted = True
    aside = Thread(target=hall.solo.stand_aside, args=[Player()], daemon=True)
    aside.start()
    aside.join(10 * solo_module.PATIENCE)
    assert hall.solo.is_on

    hall.turn.is_wanted = False
    aside.join(PATIENCE)
    assert not hall.solo.is_on


def test_a_soloist_without_jobs_has_no_solo_and_may_have_one_again_at_once() -> None:
    hall = Hall()
    hall.begin()
    stand_aside(hall)
    assert not hall.solo.is_on
    hall.begin()


def test_a_soloist_that_ends_leaves_jobs_to_all() -> None:
    hall = Hall()
    hall.begin()
    hall.solo.leave(Player())
    assert hall.solo.is_on
    hall.solo.leave(hall.player)
    assert not hall.solo.is_on
    hall.solo.stand_aside(Player())


def test_a_soloist_does_not_stand_aside() -> None:
    hall = Hall()
    hall.begin()
    hall.solo.stand_aside(hall.player)
    assert hall.solo.is_on


@pytest.mark.django_db(transaction=True)
def test_jobs_that_wait_for_each_other_do_run_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solo_module, "WINDOW_SECONDS", 0.0001)
    monkeypatch.setattr(worker_module, "LOOK_EVERY", 1)
    monkeypatch.setattr(Pace, "waits_for_the_interpreter", property(lambda pace: True))
    monkeypatch.setattr(solo_module, "SHORTEST_PAUSE", 0.0)
    monkeypatch.setattr(solo_module, "LONGEST_PAUSE", 0.0)
    monkeypatch.setattr(solo_module, "ALIKE", float("inf"))
    tried = []
    stand_aside = Solo.stand_aside

    def tell(self: Solo, worker: object) -> None:
        tried.append(worker)
        stand_aside(self, worker)  # type: ignore[arg-type] # as it was called

    monkeypatch.setattr(Solo, "stand_aside", tell)
    met = Barrier(2)

    @job(kind="tests.meeting")
    def meeting() -> None:
        met.wait(PATIENCE)

    enqueue_many(meeting.new() for _ in range(40))
    drain(threads=2)

    assert Job.objects.filter(state=State.SUCCEEDED).count() == 40
    assert tried


def stand_aside(hall: Hall) -> None:
    """Let others wait for the soloist, in threads of their own, until they need not."""
    threads = [Thread(target=hall.solo.stand_aside, args=[Player()], daemon=True) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
        assert not thread.is_alive()
