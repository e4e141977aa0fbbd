"""Processes that retire: their successors start beside them, and there are two at most."""

import os
import signal
from collections.abc import Iterator

import pytest

from forge_jobs.runtime.command.shutdown import FAILED, JOBS_DIED, ORDERLY, RETIRED
from forge_jobs.runtime.command.supervisor import Birth, Supervisor
from forge_jobs.runtime.retirement import Notices
from tests.running import eventually


class Family:
    """Starts processes that wait until they are let go, and end as if they had retired."""

    def __init__(self, *, drain: bool = False) -> None:
        self.births: list[Birth] = []
        self.buried: list[str] = []
        self.burial_code = 0
        self.supervisor = Supervisor(
            name="tested",
            processes=1,
            start=self.start,
            bury=self.bury,
            notices=Notices(),
            drain=drain,
            longest_delay=4.0,
        )
        self.supervisor.begin(Birth(number=1, name="tested.1"))

    def start(self, birth: Birth) -> int:
        self.births.append(birth)
        pid = shell(f"kill -STOP $$; exit {ORDERLY + RETIRED}")
        os.waitid(os.P_PID, pid, os.WSTOPPED | os.WNOWAIT)
        return pid

    def bury(self, names: list[str]) -> int:
        self.buried += names
        return shell(f"exit {self.burial_code}")

    @property
    def names(self) -> list[str]:
        """Of those that live."""
        return sorted(child.name for child in self.supervisor.children.values())

    @property
    def pids(self) -> dict[str, int]:
        return {child.name: child.pid for child in self.supervisor.children.values()}

    def retire(self, name: str) -> None:
        self.supervisor.make_way([self.pids[name]])

    def end(self, name: str, *, by: signal.Signals = signal.SIGCONT) -> None:
        pid = self.pids[name]
        os.kill(pid, by)
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        self.supervisor.see_to_the_dead()


def see_to_burials(supervisor: Supervisor) -> bool:
    supervisor.see_to_the_dead()
    return supervisor.burials.are_under_way


def shell(script: str) -> int:
    return os.posix_spawn("/bin/sh", ["sh", "-c", script], os.environ)


@pytest.fixture
def family() -> Iterator[Family]:
    family = Family()
    yield family
    for pid in family.supervisor.children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def test_a_successor_starts_beside_one_that_retires(family: Family) -> None:
    family.retire("tested.1")

    assert family.names == ["tested.1", "tested.1b"]
    assert family.births[-1] == Birth(number=1, name="tested.1b", is_first=False)


def test_one_that_says_it_again_or_has_ended_has_no_second_successor(family: Family) -> None:
    family.retire("tested.1")
    family.supervisor.make_way([family.pids["tested.1"], 2**22 + 1])
    family.end("tested.1")

    assert family.names == ["tested.1b"]


def test_the_two_names_are_taken_by_turns(family: Family) -> None:
    for old, new in (("tested.1", "tested.1b"), ("tested.1b", "tested.1")):
        family.retire(old)
        family.end(old)
        assert family.names == [new]


@pytest.mark.parametrize("first", ["tested.1", "tested.1b"])
def test_a_third_waits_until_one_of_two_that_retire_has_ended(family: Family, first: str) -> None:
    family.retire("tested.1")
    family.retire("tested.1b")
    assert len(family.births) == 2

    family.end(first)

    assert family.names == ["tested.1", "tested.1b"]
    assert family.births[-1].name == first


def test_one_that_dies_while_it_retires_is_buried_at_once(family: Family) -> None:
    family.retire("tested.1")
    family.end("tested.1", by=signal.SIGKILL)

    assert (family.names, family.buried) == (["tested.1b"], ["tested.1"])


@pytest.mark.parametrize(("drain", "code"), [(True, JOBS_DIED), (False, 0)])
def test_a_drain_tells_of_jobs_that_died_with_one_that_retired(
    family: Family, drain: bool, code: int
) -> None:
    family.supervisor.drain = drain
    family.burial_code = JOBS_DIED
    family.retire("tested.1")
    family.end("tested.1", by=signal.SIGKILL)
    family.supervisor.finish_burials()

    assert family.supervisor.code == code


def test_a_burial_that_fails_is_tried_once_more_at_the_end(family: Family) -> None:
    family.burial_code = FAILED
    family.retire("tested.1")
    family.end("tested.1", by=signal.SIGKILL)
    eventually(lambda: not see_to_burials(family.supervisor))
    family.supervisor.finish_burials()

    assert family.buried == ["tested.1", "tested.1"]


def test_a_successor_that_dies_is_replaced_beside_the_one_that_still_retires(
    family: Family,
) -> None:
    family.retire("tested.1")
    family.end("tested.1b", by=signal.SIGKILL)

    assert family.names == ["tested.1", "tested.1b"]
    assert family.buried == [], "its successor of the same name gives back its jobs"


def test_nobody_succeeds_at_a_stop(family: Family) -> None:
    family.supervisor._stops = 1
    family.retire("tested.1")
    family.end("tested.1")

    assert (len(family.births), family.names) == (1, [])


def test_a_notice_tells_who_gave_it_and_is_given_once() -> None:
    notices = Notices()
    assert notices.take(within=0.0) == []

    notices.give()
    notices.give()

    assert notices.take(within=0.0) == [os.getpid()]
    assert notices.take(within=0.0) == []
