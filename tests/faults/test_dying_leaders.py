"""Leaders that die while they fire schedules: each due moment has one job all the same."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from typing import IO, Any

import pytest
from django.db import connection

from forge_jobs.clock import ManualClock
from forge_jobs.conf.policies import Overlap
from forge_jobs.models import Job, Lease, Process, Schedule
from forge_jobs.services.scheduler import Scheduler
from tests.conftest import NOON
from tests.faults.leader import DEATH
from tests.planned import MINUTE, SECOND, due_moments, planned_schedule
from tests.running import ROOT, Runjobs, eventually

pytestmark = pytest.mark.django_db(transaction=True)

SECONDS = 12


class Died(BaseException):
    """Nothing that a scheduler could take for a schedule's fault."""


def dies_before(deadly: int, *, now: datetime) -> bool:
    """Whether a pass has so many statements, before the last of which it is interrupted."""
    statements = 0

    def interrupt(execute: Callable[..., Any], *args: Any) -> Any:
        nonlocal statements
        statements += 1
        if statements == deadly:
            raise Died
        return execute(*args)

    try:
        with connection.execute_wrapper(interrupt):
            Scheduler().run_once(now=now)
    except Died:
        return True
    return False


@pytest.mark.parametrize("overlap", Overlap)
def test_a_pass_that_is_interrupted_anywhere_is_made_up_for_by_the_next(
    overlap: str, manual_clock: ManualClock
) -> None:
    planned_schedule(overlap=overlap)
    minutes = 1
    while dies_before(minutes, now=manual_clock.advance(MINUTE)):
        Scheduler().run_once(now=manual_clock.current)
        Job.objects.unfinished().cancel(now=NOON)
        assert due_moments() == [NOON + minute * MINUTE for minute in range(1, minutes + 1)]
        minutes += 1

    assert minutes > 8


@pytest.mark.processes
@pytest.mark.full_size
def test_a_leader_that_is_killed_anywhere_in_a_pass_is_made_up_for_by_the_next(
    manual_clock: ManualClock,
) -> None:
    planned_schedule(overlap=Overlap.QUEUE)
    minutes = 1
    with leaders() as dies_before:
        while dies_before(minutes, manual_clock.advance(MINUTE)):
            Scheduler().run_once(now=manual_clock.current)
            assert due_moments() == [NOON + minute * MINUTE for minute in range(1, minutes + 1)]
            minutes += 1

    assert minutes > 8
    assert due_moments()[-1] == Schedule.objects.get().last_fired_at


@contextmanager
def leaders() -> Iterator[Callable[[int, datetime], bool]]:
    """Ask whether a leader, a process of its own, dies before so many statements are made."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.leader"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "FORGE_JOBS_TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin
        assert process.stdout
        yield partial(dies, process.stdin, process.stdout)


def dies(questions: IO[str], answers: IO[str], deadly: int, now: datetime) -> bool:
    questions.write(f"{now.isoformat()} {deadly}\n")
    questions.flush()
    code = int(answers.readline())
    assert code in (0, DEATH)
    return code == DEATH


@pytest.mark.processes
@pytest.mark.full_size
def test_every_second_has_one_job_though_the_leader_is_killed() -> None:
    planned_schedule(
        expression="* * * * * *", kind="app.noop", overlap=Overlap.QUEUE, next_fire_at=None
    )
    patient = {"FORGE_JOBS_TEST_PROCESS_TIMEOUT": "15"}
    with Runjobs("--processes", "3", "--threads", "2", **patient) as jobs:
        eventually(lambda: Job.objects.count() >= SECONDS // 3)
        killed_at = datetime.now(UTC)
        os.kill(leader(), signal.SIGKILL)
        eventually(lambda: Job.objects.filter(enqueued_at__gt=killed_at + 4 * SECOND).exists())
        eventually(lambda: Job.objects.count() >= SECONDS)
        jobs.terminate()
        code, output = jobs.wait()
    assert code == 0, output

    moments = due_moments()
    assert len(set(moments)) == len(moments)
    for before, after in pairwise(moments):
        # Were the machine so slow that nobody led for so long, one job would stand for them.
        around_the_kill = before <= killed_at + SECOND and after > killed_at
        assert after - before == SECOND or around_the_kill, (before, after, killed_at)
    windows = [(made.context["last_due_at"], made.context["due_at"]) for made in by_age()]
    assert all(earlier[1] == later[0] for earlier, later in pairwise(windows))


def by_age() -> list[Job]:
    return list(Job.objects.order_by("pk"))


def leader() -> int:
    process = Process.objects.get(pk=Lease.objects.get().process_id)
    pid: int = process.pid
    return pid
