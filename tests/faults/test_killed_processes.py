"""Processes that are killed, stopped or poisoned: nothing is lost, nothing runs twice unseen."""

import os
import random
import signal
from collections import Counter

import psutil
import pytest
from django.db import connections

from forge_jobs import db
from forge_jobs.models import Job, Process, State
from tests.app.jobs import effect, noop, poison, wait_and_leave
from tests.app.models import Effect
from tests.running import PATIENCE, Runjobs, eventually
from tests.sizes import sized

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.timeout(400),
]

LONG = 90.0
JOBS = sized(2_000, full=5_000)


def unfinished() -> int:
    count: int = Job.objects.unfinished().count()
    return count


def losses(job: Job) -> int:
    """How many of a job's errors say that its process was lost."""
    return sum("was lost" in error["message"] for error in job.errors)


def assert_accounted_for() -> None:
    """Each job left its effect, and each run beyond the first is explained by a lost process."""
    runs = Counter(Effect.objects.values_list("number", flat=True))
    for job in Job.objects.filter(kind="app.effect"):
        number = job.payload["number"]
        assert 1 <= runs[number] <= 1 + losses(job), (number, runs[number], job.errors)


@pytest.mark.full_size
def test_jobs_survive_a_random_kill_every_second() -> None:
    chance = random.Random(5_000)
    effect.enqueue_many([{"number": number, "seconds": 0.03} for number in range(JOBS)])
    kills = 0

    with Runjobs("--processes", "3", "--threads", "4") as runjobs:
        eventually(lambda: Effect.objects.count() > 100)
        while unfinished() and kills < LONG:
            victim = chance.choice(runjobs.pids[1:])
            os.kill(victim, signal.SIGKILL)
            kills += 1
            finished_or_a_second_later(runjobs)
        eventually(lambda: not unfinished(), patience=LONG)
        runjobs.terminate()
        code, output = runjobs.wait()

    assert kills >= 3, "It was over before anything could go wrong."
    assert code == 0, output
    assert Job.objects.filter(state=State.SUCCEEDED).count() == JOBS
    assert_accounted_for()
    assert not Process.objects.exists()


def finished_or_a_second_later(runjobs: Runjobs) -> None:
    try:
        runjobs.process.wait(1.0)
    except Exception:
        return
    raise AssertionError(runjobs.output)


def test_the_coroutines_of_a_process_that_is_killed_run_again() -> None:
    payloads = [{"number": number, "seconds": PATIENCE} for number in range(50)]
    jobs = wait_and_leave.enqueue_many(payloads).ids

    with Runjobs("--threads", "2", "--async-concurrency", "50", "--name", "killed") as runjobs:
        eventually(lambda: Effect.objects.count() == 50)
        runjobs.kill()
    Job.objects.filter(pk__in=jobs).update(payload={"number": -1, "seconds": 0.0})
    with Runjobs("--drain", "--name", "killed") as runjobs:
        eventually(lambda: not unfinished())
        code, output = runjobs.wait()

    assert code == 0, output
    assert set(Job.objects.values_list("state", "attempt")) == {(State.SUCCEEDED, 2)}
    assert Effect.objects.filter(number=-1, ended=1.0).count() == 50


def test_a_supervisor_that_is_killed_takes_its_processes_along_in_order() -> None:
    with Runjobs("--processes", "2") as runjobs:
        eventually(lambda: Process.objects.count() == 2)
        children = [psutil.Process(pid) for pid in runjobs.pids[1:]]
        runjobs.kill()
        eventually(lambda: not any(child.is_running() for child in children))

    assert not Process.objects.exists()


def test_a_poison_job_ends_dead_and_the_others_unharmed() -> None:
    # Two that kill three times each: more often than the others have attempts.
    for numbers in (range(100), range(100, 200)):
        effect.enqueue_many([{"number": number} for number in numbers])
        poison.enqueue()

    with Runjobs("--processes", "2", "--threads", "1") as runjobs:
        eventually(lambda: not unfinished(), patience=LONG)
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
    poisons = Job.objects.exclude(state=State.SUCCEEDED)
    assert [(dead.kind, dead.state, dead.attempt, losses(dead)) for dead in poisons] == [
        ("app.poison", State.DEAD, 3, 3)
    ] * 2
    assert_accounted_for()


def test_a_process_that_slept_too_long_is_refused_when_it_wakes() -> None:
    with Runjobs("--threads", "3", FORGE_JOBS_TEST_PROCESS_TIMEOUT="3") as sleeper:
        effect.enqueue_many([{"number": number, "seconds": 8.0} for number in range(3)])
        eventually(lambda: Job.objects.running().count() == 3)
        # The beat that tells of three running jobs comes before the handlers end.
        eventually(lambda: Process.objects.get().running == 3)
        eventually(lambda: is_stopped_between_writes(sleeper))
        for one in Job.objects.all():  # the heir need not take its time
            Job.objects.filter(pk=one.pk).update(payload={**one.payload, "seconds": 0.0})
        with Runjobs(FORGE_JOBS_TEST_PROCESS_TIMEOUT="3") as heir:
            eventually(lambda: not unfinished())
            ended = list(Job.objects.order_by("pk").values("state", "finished_at", "attempt"))
            sleeper.process.send_signal(signal.SIGCONT)
            eventually(lambda: sleeper.output.count("was taken from this process") == 3)
            eventually(lambda: Process.objects.count() == 2)
            noop.enqueue()
            eventually(lambda: not unfinished())
            for process in (sleeper, heir):
                process.terminate()
                assert process.wait()[0] == 0, process.output

    assert ended == [{**row, "state": State.SUCCEEDED, "attempt": 2} for row in ended]
    jobs = Job.objects.filter(kind="app.effect").order_by("pk")
    assert list(jobs.values("state", "finished_at", "attempt")) == ended
    assert_accounted_for()


def is_stopped_between_writes(runjobs: Runjobs) -> bool:
    """One that is stopped in the middle of a write would keep all others from theirs."""
    runjobs.process.send_signal(signal.SIGSTOP)
    process = psutil.Process(runjobs.process.pid)
    eventually(lambda: process.status() == psutil.STATUS_STOPPED)
    with connections["default"].cursor() as cursor:
        if not db.twin().is_write_locked(cursor, seconds=1.0):
            return True
    runjobs.process.send_signal(signal.SIGCONT)
    return False


def test_sigterm_under_load_gives_back_what_does_not_finish_in_time() -> None:
    effect.enqueue_many([{"number": number} for number in range(20)])
    effect.enqueue_many([{"number": number, "seconds": 600} for number in range(20, 60)])
    with Runjobs("--processes", "2", "--threads", "8", "--shutdown-timeout", "1") as runjobs:
        eventually(lambda: Effect.objects.count() == 20)
        eventually(lambda: Job.objects.running().count() >= 16)
        connections.close_all()
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
    states = Counter(Job.objects.values_list("state", "attempt"))
    assert states == {(State.SUCCEEDED, 1): 20, (State.READY, 0): 40}
