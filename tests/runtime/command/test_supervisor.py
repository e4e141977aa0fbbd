"""The supervisor: whom it starts again, when, and with which exit code it ends."""

import os
import signal
import time
from collections.abc import Callable, Iterator

import pytest

from forge_jobs.runtime.command import supervisor as module
from forge_jobs.runtime.command.shutdown import FAILED, JOBS_DIED, ORDERLY
from forge_jobs.runtime.command.shutdown import RETIRED as MORE_TO_DO
from forge_jobs.runtime.command.supervisor import Birth, Supervisor
from forge_jobs.runtime.retirement import Notices

WELL = ORDERLY
RETIRED = ORDERLY + MORE_TO_DO
ENOUGH = 8
"""Births after which a test's supervisor is told to stop."""


class Nursery:
    """Starts processes that only end, in the given ways; the last way goes on for ever."""

    def __init__(self, *codes: int) -> None:
        self.codes = list(codes)
        self.births: list[Birth] = []
        self.buried: list[str] = []
        self.notices = Notices()

    def start(self, birth: Birth) -> int:
        self.births.append(birth)
        code = self.codes.pop(0) if len(self.codes) > 1 else self.codes[0]
        if len(self.births) == ENOUGH:
            os.kill(os.getpid(), signal.SIGTERM)
        return shell(f"kill -{-code} $$" if code < 0 else f"exit {code}")

    def bury(self, names: list[str]) -> int:
        self.buried += names
        return shell("exit 0")


def shell(script: str) -> int:
    return os.posix_spawn("/bin/sh", ["sh", "-c", script], os.environ)


class Clock:
    """Goes on by so many seconds with every look at it."""

    def __init__(self, *, step: float) -> None:
        self.now, self.step = 0.0, step

    def __call__(self) -> float:
        self.now += self.step
        return self.now


@pytest.fixture(autouse=True)
def _own_signals(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    monkeypatch.setattr(module, "TICK_SECONDS", 0.001)
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def supervise(
    nursery: Nursery,
    *,
    processes: int = 1,
    drain: bool = False,
    clock: Callable[[], float] = time.monotonic,
    arrivals: Notices | None = None,
) -> int:
    return Supervisor(
        name="tested",
        processes=processes,
        start=nursery.start,
        bury=nursery.bury,
        notices=nursery.notices,
        arrivals=arrivals,
        drain=drain,
        longest_delay=4.0,
        clock=clock,
    ).run()


def delays(nursery: Nursery) -> list[float]:
    return [birth.delay for birth in nursery.births]


def test_each_process_has_a_name_of_its_own_and_its_successor_takes_it() -> None:
    nursery = Nursery(WELL)
    supervise(nursery, processes=2)

    assert [birth.name for birth in nursery.births[:2]] == ["tested.1", "tested.2"]
    assert {birth.name for birth in nursery.births} == {"tested.1", "tested.2"}
    assert [birth.is_first for birth in nursery.births[:4]] == [True, True, False, False]


def test_who_dies_young_again_and_again_makes_its_successors_wait() -> None:
    nursery = Nursery(FAILED)
    supervise(nursery, clock=Clock(step=0.001))

    assert delays(nursery)[:ENOUGH] == [0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 4.0, 4.0]


def test_who_is_killed_while_it_waits_makes_nobody_wait_longer() -> None:
    nursery = Nursery(-signal.SIGKILL)
    supervise(nursery, clock=Clock(step=0.001))

    assert delays(nursery)[:ENOUGH] == [0.0, 0.0] + [0.5] * (ENOUGH - 2)


def test_who_has_lived_for_a_while_is_replaced_at_once() -> None:
    nursery = Nursery(FAILED)
    supervise(nursery, clock=Clock(step=10.0))

    assert set(delays(nursery)) == {0.0}


def test_who_has_not_told_of_its_arrival_died_young_however_long_that_took() -> None:
    nursery = Nursery(FAILED)
    supervise(nursery, clock=Clock(step=10.0), arrivals=Notices())

    assert delays(nursery)[:4] == [0.0, 0.0, 0.5, 1.0]


def test_the_life_of_one_that_tells_of_its_arrival_begins_with_that() -> None:
    arrivals = Notices()
    supervisor = Supervisor(
        name="tested",
        processes=1,
        start=lambda birth: os.getpid(),
        bury=lambda names: 0,
        notices=Notices(),
        arrivals=arrivals,
        drain=False,
        longest_delay=4.0,
        clock=Clock(step=10.0),
    )
    supervisor.begin(Birth(number=1, name="tested.1"))
    before = supervisor.children[os.getpid()]
    arrivals.give()
    supervisor.welcome()
    after = supervisor.children[os.getpid()]

    assert (before.is_awaited, after.is_awaited) == (True, False)
    assert after.born_at > before.born_at


@pytest.mark.parametrize("code", [WELL, RETIRED])
def test_who_ends_of_its_own_accord_is_replaced_at_once(code: int) -> None:
    nursery = Nursery(code)
    supervise(nursery)

    assert set(delays(nursery)) == {0.0}


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ((WELL,), 0),
        ((WELL + JOBS_DIED,), JOBS_DIED),
        ((RETIRED, RETIRED, WELL), 0),
        ((RETIRED + JOBS_DIED, WELL), JOBS_DIED),
        ((-signal.SIGKILL, WELL), 0),
        ((0, WELL), 0),
    ],
)
def test_a_drain_ends_when_there_is_nothing_left(codes: tuple[int, ...], expected: int) -> None:
    nursery = Nursery(*codes)

    assert supervise(nursery, drain=True) == expected
    assert len(nursery.births) == len(codes)


def test_a_process_that_a_handler_ended_is_buried_though_its_code_is_good() -> None:
    nursery = Nursery(*[WELL] * (ENOUGH - 1), 0)

    assert supervise(nursery) == FAILED
    assert nursery.buried == ["tested.1"]


def test_a_process_that_is_killed_during_the_stop_is_buried() -> None:
    nursery = Nursery(*[WELL] * (ENOUGH - 1), -signal.SIGKILL)

    assert supervise(nursery) == FAILED
    assert nursery.buried == ["tested.1"]


def test_a_process_that_can_not_be_started_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "UNBORN_SECONDS", 0.01)
    nursery = Nursery(WELL)
    refusals = [OSError("out of memory")]
    start: Callable[[Birth], int] = nursery.start

    def sometimes(birth: Birth) -> int:
        if refusals:
            raise refusals.pop()
        return start(birth)

    monkeypatch.setattr(nursery, "start", sometimes)

    assert supervise(nursery, drain=True) == 0
    assert len(nursery.births) == 1
