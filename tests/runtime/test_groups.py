"""Outcomes that come one soon after the other share a commit, unless somebody waits for one."""

from functools import partial
from types import SimpleNamespace

import pytest

from forge_jobs import job
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.runtime import finalizer as finalizers
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.finalizer import ENOUGH, MOST_WAITS
from tests.conftest import NOON
from tests.running import ended, engine

pytestmark = pytest.mark.django_db(transaction=True)

ONE = ClaimedJob(1, "default", "app.noop", "{}", "{}", 0, NOON, 1, 5, None)


class Busy:
    """A process that wrote a group only now, and whose workers have a job waiting for them.

    Whenever its finalizer waits, one more run ends.
    """

    def __init__(self) -> None:
        self.engine: Engine = engine()
        self.engine.buffer.put(ONE._replace(id=2))
        self.engine.finalizer._written_at = 100.0
        self.waited: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waited.append(seconds)
        self.end(ONE._replace(id=3))

    def end(self, claimed: ClaimedJob) -> None:
        self.engine.settlements.put(ended(claimed))

    def next_group(self) -> list[int]:
        return [finished.job.id for finished in self.engine.finalizer.next_group()]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Busy:
    @job(kind="tests.lone", max_concurrent_per_process=1)
    def lone() -> None: ...

    busy = Busy()
    times = SimpleNamespace(monotonic=lambda: 100.0, sleep=busy.wait)
    monkeypatch.setattr(finalizers, "time", times)
    return busy


def test_an_outcome_right_after_a_commit_waits_a_moment_for_others(busy: Busy) -> None:
    busy.end(ONE)

    assert busy.next_group() == [1, 3, 3, 3]
    assert busy.waited == [finalizers.GATHER_SECONDS] * MOST_WAITS


def test_it_waits_no_longer_than_until_workers_have_nothing_else_to_do(
    busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(seconds: float) -> None:
        busy.wait(seconds)
        busy.engine.buffer.take()

    monkeypatch.setattr(vars(finalizers)["time"], "sleep", wait)
    busy.end(ONE)

    assert busy.next_group() == [1, 3]


def test_one_that_comes_a_while_later_is_written_at_once(busy: Busy) -> None:
    busy.engine.finalizer._written_at -= finalizers.GATHER_SECONDS
    busy.end(ONE)

    assert busy.next_group() == [1]


def test_it_is_written_at_once_if_workers_have_nothing_else_to_do(busy: Busy) -> None:
    busy.engine.buffer.take()
    busy.end(ONE)

    assert busy.next_group() == [1]


@pytest.mark.parametrize(
    "awaited", [ONE._replace(concurrency_key="customer"), ONE._replace(kind="tests.lone")]
)
def test_it_is_written_at_once_if_its_end_lets_another_job_begin(
    busy: Busy, awaited: ClaimedJob
) -> None:
    busy.end(awaited)

    assert busy.next_group() == [1]


@pytest.mark.parametrize("late", [0.0, 0.004, 2.0])
def test_a_key_waits_for_others_that_are_claimed_here_as_long_as_the_last_commit_was_late(
    busy: Busy, late: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    keyed = ONE._replace(concurrency_key="customer")
    store = busy.engine.finalizer._store
    monkeypatch.setattr(store, "write", lambda group: (group, {done.job.id for done in group}))
    for took in 0.001, 0.001 + late:
        times = iter([100.0 - took, 100.0])
        monkeypatch.setattr(vars(finalizers)["time"], "monotonic", partial(next, times))
        busy.engine.finalizer.finalize([ended(keyed)])
    monkeypatch.setattr(vars(finalizers)["time"], "monotonic", lambda: 100.0)
    busy.engine.claims.add(keyed, keyed._replace(id=9))
    busy.end(keyed)

    assert busy.next_group() == [1, 3]
    assert busy.waited == [pytest.approx(min(late, finalizers.GATHER_SECONDS))]


def test_a_key_waits_for_no_job_that_has_none(busy: Busy) -> None:
    keyed = ONE._replace(concurrency_key="customer")
    busy.engine.finalizer._delay = 1.0
    busy.engine.claims.add(keyed, ONE._replace(id=9))
    busy.end(keyed)

    busy.next_group()

    assert not busy.waited


def test_it_waits_no_longer_once_one_is_there_whose_end_lets_another_job_begin(
    busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(seconds: float) -> None:
        busy.waited.append(seconds)
        busy.end(ONE._replace(id=7, concurrency_key="customer"))

    monkeypatch.setattr(vars(finalizers)["time"], "sleep", wait)
    busy.end(ONE)

    assert busy.next_group() == [1, 7]
    assert busy.waited == [finalizers.GATHER_SECONDS]


def test_many_wait_for_no_more(busy: Busy) -> None:
    for number in range(ENOUGH + 1):
        busy.end(ONE._replace(id=number))

    assert busy.next_group() == list(range(ENOUGH + 1))
    assert busy.waited == []
