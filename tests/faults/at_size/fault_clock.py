"""The wall clock of a machine jumps by an hour, and is set right again."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.faults.at_size.clocks import WallClock, is_missing
from tests.faults.at_size.conftest import Prepare
from tests.faults.at_size.trial import PROCESS_TIMEOUT, PROCESSES
from tests.faults.elsewhere import LONG
from tests.faults.servers import Server
from tests.running import eventually

pytestmark = [
    pytest.mark.timeout(900),
    pytest.mark.skipif(is_missing() != "", reason=is_missing()),
    pytest.mark.parametrize("hours", [1, -1]),
]


@pytest.fixture
def wall(tmp_path: Path) -> WallClock:
    return WallClock(tmp_path / "clock")


@pytest.fixture
def url() -> Iterator[str]:
    with Server.started() as server:
        yield server.url


def test_the_clock_of_the_leader_may_jump(
    hours: int, wall: WallClock, url: str, prepare: Prepare
) -> None:
    trial = prepare(url)
    with trial.project.runjobs("--threads", "4", **wall.environment) as leader:
        eventually(lambda: trial.ledger.entries("due") != [], patience=LONG)
        trial.enqueue()
        with trial.project.runjobs("--threads", "4") as other:
            trial.until_busy()
            wall.jump(timedelta(hours=hours))
            trial.enqueue()
            trial.resumes()
            trial.beats_go_on()
            wall.jump(-timedelta(hours=hours))
            trial.resumes()
            trial.enqueue()
            trial.ends(leader, other)


def test_the_clock_of_all_processes_may_jump(
    hours: int, wall: WallClock, url: str, prepare: Prepare
) -> None:
    trial = prepare(url)
    trial.enqueue()
    with trial.project.runjobs(*PROCESSES, **wall.environment) as runjobs:
        trial.until_busy()
        wall.jump(timedelta(hours=hours))
        trial.enqueue()
        trial.resumes()
        trial.beats_go_on()
        wall.jump(-timedelta(hours=hours))
        trial.resumes()
        trial.enqueue()
        trial.ends(runjobs)


def test_nothing_is_due_by_a_machines_clock_that_is_put_right_within_a_heartbeat(
    hours: int, wall: WallClock, prepare: Prepare
) -> None:
    trial = prepare("")
    trial.enqueue()
    with trial.project.runjobs(*PROCESSES, **wall.environment) as runjobs:
        trial.until_busy()
        wall.jump(timedelta(hours=hours))
        time.sleep(PROCESS_TIMEOUT / 6)
        wall.jump(-timedelta(hours=hours))
        trial.enqueue()
        trial.resumes()
        trial.enqueue()
        trial.ends(runjobs)
