"""Which children a process has and had, as the database is told of it."""

import sys
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext

from forge_jobs import register
from forge_jobs.children.guardian import guardian
from forge_jobs.handlers import SubprocessPool
from forge_jobs.models import Child, ChildEnd, ChildRestart, Job, JobEvent
from forge_jobs.runtime.metering.roll import Roll
from forge_jobs.testing.worker import LoneWorker
from tests.children.conftest import TORTURED, Made, claimed, tell
from tests.conftest import NOON
from tests.factories import process_named
from tests.running import drain

HANG = {"do": "hang"}

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def pool() -> Iterator[Made]:
    """Makes pools; what is left of their pipes is others' to look at, for sessions come and go."""
    made: list[SubprocessPool] = []

    def make(**options: Any) -> SubprocessPool:
        program = [sys.executable, "-S", str(TORTURED)]
        options = {"max_attempts": 1, **options}
        made.append(register(SubprocessPool("tests.pool", program, **options)))
        return made[-1]

    yield make
    for one in made:
        one.pool.stop()
    guardian.leave()


@pytest.fixture
def roll() -> Roll:
    return Roll(process_named("p1"), writing=nullcontext())


def pids(pool: SubprocessPool) -> set[int]:
    return {child.pid for child in pool.pool.children()}


def test_children_are_told_of_and_forgotten_when_they_are_gone(pool: Made, roll: Roll) -> None:
    made = pool()
    tell(made, "echo")
    (first,) = pids(made)

    assert roll.run_once(now=NOON) == 1
    child = Child.objects.get()
    assert (child.kind, child.pid, child.jobs_done, child.job_id) == ("tests.pool", first, 1, None)
    assert child.rss_bytes > 0

    tell(made, "exit", code=1)
    tell(made, "echo")
    roll.run_once(now=NOON)
    assert {*Child.objects.values_list("pid", flat=True)} == pids(made) != {first}


def test_what_ended_is_counted_though_its_process_has_signed_off(pool: Made) -> None:
    process = process_named("p1")
    roll = Roll(process, writing=nullcontext())
    tell(pool(), "exit", code=1)
    process.delete()

    assert roll.run_once(now=NOON) == 1
    assert ChildRestart.objects.get().times == 1


def test_nothing_is_written_of_children_that_rest(pool: Made, roll: Roll) -> None:
    tell(pool(), "echo")
    roll.run_once(now=NOON)

    with CaptureQueriesContext(connection) as queries:
        assert roll.run_once(now=NOON) == 0
    assert len(queries) == 0


def test_nothing_is_asked_where_there_are_no_children(pool: Made, roll: Roll) -> None:
    pool()
    with CaptureQueriesContext(connection) as queries:
        assert roll.run_once(now=NOON) == 0
    assert len(queries) == 0


@pytest.mark.parametrize(
    ("options", "payload", "reason"),
    [
        ({}, {"do": "exit", "code": 1}, ChildEnd.ENDED),
        ({}, {"do": "half a line"}, ChildEnd.ENDED),
        ({}, {"do": "say", "text": "no JSON"}, ChildEnd.GARBAGE),
        ({"max_jobs": 1}, {"do": "echo"}, ChildEnd.JOBS),
        ({}, HANG, ChildEnd.TIMED_OUT),
    ],
)
def test_why_children_made_way_is_counted_by_kind_and_reason(
    pool: Made, roll: Roll, options: Any, payload: Any, reason: ChildEnd
) -> None:
    made = pool(**options)
    for _ in range(2):
        LoneWorker().outcome_of(claimed(made, payload, timeout=0.1 if payload == HANG else None))
        roll.run_once(now=NOON)

    (row,) = ChildRestart.objects.all()
    assert (row.kind, row.reason, row.times, row.last_at) == ("tests.pool", reason, 2, NOON)


def test_what_could_not_be_written_is_counted_the_next_time(
    pool: Made, roll: Roll, monkeypatch: pytest.MonkeyPatch
) -> None:
    tell(pool(), "exit", code=1)
    with monkeypatch.context() as away:
        away.setattr(type(ChildRestart.objects), "add", _refuse)
        with pytest.raises(DatabaseError):
            roll.tell_of_restarts(now=NOON)

    assert roll.tell_of_restarts(now=NOON) == 1
    assert ChildRestart.objects.get().times == 1


def _refuse(*args: Any, **kwargs: Any) -> int:
    raise DatabaseError


def test_a_job_says_which_child_ran_it_as_long_as_it_is_kept(pool: Made) -> None:
    pool().enqueue(do="echo")
    drain()
    job = Job.objects.get()
    events = JobEvent.objects.filter(job_id=job.pk).values_list("process_name", flat=True)

    assert (job.process_name or "").startswith("tested, child ")
    assert {*events} == {job.process_name}


def test_a_failed_attempt_says_which_child_it_was(pool: Made) -> None:
    pool(max_attempts=2).enqueue(do="exit", code=1)
    drain()

    assert Job.objects.get().errors[0]["process"].startswith("tested, child ")
