"""`manage.py runjobs` as a real process: what it says, what it heeds, how it exits."""

import json
import os
from datetime import timedelta
from pathlib import Path
from signal import SIGKILL

import pytest
from django.core.management import CommandError, call_command

from forge_jobs.models import Job, Process, ProcessState, State
from forge_jobs.runtime.command.launch import Launch
from tests.app.jobs import fail, leave_once, noop, wait_for_cancel
from tests.app.models import Effect
from tests.running import PATIENCE, Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def test_a_drain_runs_everything_and_exits_with_0() -> None:
    noop.enqueue_many([{}] * 100)

    with Runjobs("--drain") as runjobs:
        code, output = runjobs.wait()

    assert (code, Job.objects.filter(state=State.SUCCEEDED).count()) == (0, 100)
    for fact in ("forge_jobs", "database", "queues", "kinds", "threads", "wake"):
        assert f"  {fact}" in output
    assert "app.noop #" not in output, "a line a job is for terminals"


def test_coroutines_are_told_of_at_the_start_as_many_as_there_are_threads() -> None:
    with Runjobs("--drain", "--threads", "3") as runjobs:
        _, output = runjobs.wait()
    with Runjobs("--drain", "--threads", "3", "--async-concurrency", "200") as more:
        _, output_of_more = more.wait()

    assert "threads     3, and 3 coroutines at once" in output
    assert "threads     3, and 200 coroutines at once" in output_of_more


def test_a_drain_in_which_a_job_dies_exits_with_3_and_says_why() -> None:
    fail.using(max_attempts=1).enqueue()

    with Runjobs("--drain") as runjobs:
        code, output = runjobs.wait()

    assert code == 3
    assert "app.fail #" in output
    assert "dead after attempt 1 of 1: as it should" in output


def test_log_json_is_one_object_a_line() -> None:
    stored = noop.enqueue()

    with Runjobs("--drain", "--log-json") as runjobs:
        _, output = runjobs.wait()

    lines = [json.loads(line) for line in output.splitlines()]
    (finished,) = [line for line in lines if line.get("job_id") == stored.pk]
    assert lines[0]["message"] == "started"
    assert (finished["kind"], finished["state"], finished["level"]) == (
        "app.noop",
        "succeeded",
        "info",
    )


def test_sigterm_stops_in_order_and_exits_with_0() -> None:
    wait_for_cancel.enqueue(seconds=PATIENCE)

    with Runjobs("--shutdown-timeout", "0.2") as runjobs:
        eventually(lambda: Job.objects.filter(state=State.RUNNING).exists())
        runjobs.terminate()
        code, output = runjobs.wait()

    stored = Job.objects.get()
    assert code == 0
    assert "stopping: SIGTERM" in output
    assert (stored.state, stored.attempt, Process.objects.count()) == (State.READY, 0, 0)


def test_a_successor_of_the_same_name_gives_back_what_its_dead_predecessor_ran() -> None:
    wait_for_cancel.enqueue(seconds=PATIENCE)
    with Runjobs("--name", "phoenix") as runjobs:
        eventually(lambda: Job.objects.filter(state=State.RUNNING).exists())
        runjobs.kill()

    Job.objects.update(payload={"seconds": 0})
    with Runjobs("--name", "phoenix", "--drain") as runjobs:
        runjobs.wait()

    stored = Job.objects.get()
    assert (stored.state, stored.attempt, stored.result) == (State.SUCCEEDED, 2, "nobody asked")
    assert "phoenix" in stored.errors[0]["message"]


def test_a_name_that_is_taken_is_refused() -> None:
    with Runjobs("--name", "taken"):
        eventually(lambda: Process.objects.exists())
        with Runjobs("--name", "taken", "--drain") as second:
            code, output = second.wait()

    assert code == 1
    assert "'taken'" in output
    assert "--name" in output


def test_kill_in_the_middle_of_500_jobs_loses_none() -> None:
    from tests.app.jobs import effect

    effect.enqueue_many(
        # Those that begin last run until they are killed.
        [{"number": number, "seconds": 0.005 if number < 300 else 600} for number in range(500)]
    )
    with Runjobs("--name", "phoenix") as runjobs:
        eventually(lambda: Effect.objects.count() > 100)
        runjobs.kill()
    assert Job.objects.filter(state=State.RUNNING).exists()
    for left in Job.objects.unfinished():
        Job.objects.filter(pk=left.pk).update(payload={**left.payload, "seconds": 0.005})

    with Runjobs("--name", "phoenix", "--drain") as runjobs:
        code, _ = runjobs.wait()

    assert code == 0
    assert set(Effect.objects.values_list("number", flat=True)) == set(range(500))
    assert Job.objects.filter(state=State.SUCCEEDED).count() == 500


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--queues", "default,typo"], "typo is not declared"),
        (["--threads", "0"], "--threads"),
        (["--poll-interval", "never"], "--poll-interval"),
    ],
)
def test_a_bad_argument_is_named(arguments: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message):
        call_command("runjobs", *arguments)


def test_a_drain_goes_on_in_fresh_processes() -> None:
    from tests.app.jobs import noop

    noop.enqueue_many([{}] * 100)
    with Runjobs("--drain", "--max-jobs-per-process", "30") as runjobs:
        code, output = runjobs.wait()

    assert (code, Job.objects.filter(state=State.SUCCEEDED).count()) == (0, 100)
    assert output.count("it has run 30 jobs") == 3


def test_a_process_that_retires_is_succeeded_while_its_longest_job_runs() -> None:
    long = wait_for_cancel.enqueue(seconds=PATIENCE)
    options = ("--name", "tested", "--threads", "2", "--max-jobs-per-process", "3")
    with Runjobs(*options) as runjobs:
        eventually(lambda: Job.objects.running().filter(pk=long.pk).exists())
        noop.enqueue_many([{}] * 10)
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).count() == 10)

        retiring = Process.objects.get(name="tested.1")
        eventually(lambda: Process.objects.filter(state=ProcessState.QUIET).exists())
        assert Job.objects.get(pk=long.pk).process == retiring
        assert Process.objects.count() == 2

        long.cancel("for the test")
        eventually(lambda: not Process.objects.filter(pk=retiring.pk).exists())
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
    assert Job.objects.get(pk=long.pk).attempt == 1


def test_a_drain_tells_of_a_job_that_died_with_the_process_that_retired() -> None:
    options = ("--drain", "--name", "tested", "--threads", "2", "--max-jobs-per-process", "2")
    poison = wait_for_cancel.using(max_attempts=1).enqueue(seconds=PATIENCE)
    noop.enqueue()
    other = wait_for_cancel.enqueue(seconds=PATIENCE)
    with Runjobs(*options) as runjobs:
        eventually(lambda: Job.objects.running().filter(pk=other.pk).exists())
        os.kill(Process.objects.get(name="tested.1").pid, SIGKILL)
        eventually(lambda: Job.objects.filter(pk=poison.pk, state=State.DEAD).exists())
        other.cancel("for the test")
        code, output = runjobs.wait()

    assert code == 3, output


def test_a_stop_reaches_both_who_retires_and_who_succeeds() -> None:
    wait_for_cancel.enqueue(seconds=PATIENCE)
    options = ("--threads", "2", "--max-jobs-per-process", "1", "--shutdown-timeout", "0.2")
    with Runjobs(*options) as runjobs:
        eventually(lambda: Process.objects.count() == 2)
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output
    assert not Process.objects.exists()
    assert not Job.objects.running().exists()


def test_reload_restarts_when_code_changes() -> None:
    from tests.app import jobs

    with Runjobs("--reload", "--threads", "1") as runjobs:
        eventually(lambda: Process.objects.exists())
        # The watch takes its first look when it starts, and another one a second later.
        eventually(lambda: touched_until("has changed", runjobs, Path(jobs.__file__)))
        eventually(lambda: runjobs.output.count("started, pid") == 2)
        eventually(lambda: Process.objects.exists())
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0, output


def touched_until(words: str, runjobs: Runjobs, file: Path) -> bool:
    os.utime(file)
    return words in runjobs.output


def test_the_first_process_of_a_container_is_supervised(monkeypatch: pytest.MonkeyPatch) -> None:
    launch = Launch(
        queues={"default": 1},
        async_concurrency=1,
        threads=1,
        name="first",
        poll_interval=timedelta(seconds=1),
        shutdown_timeout=timedelta(seconds=1),
    )
    assert not launch.is_supervised

    monkeypatch.setattr(os, "getpid", lambda: 1)
    assert launch.is_supervised


def test_an_sqlite_database_in_memory_is_refused() -> None:
    with Runjobs(
        FORGE_JOBS_TEST_DATABASE="sqlite", FORGE_JOBS_TEST_DATABASE_NAME=":memory:"
    ) as runjobs:
        code, output = runjobs.wait()

    assert code == 1
    assert "in memory" in output
    assert "Traceback" not in output


@pytest.mark.parametrize(
    ("attempts", "code", "own_code"),
    [(1, 3, 0), (2, 0, 0), (2, 0, os.EX_USAGE), (2, 0, os.EX_NOHOST)],
)
def test_a_drain_does_not_take_a_handler_s_exit_for_its_end(
    attempts: int, code: int, own_code: int
) -> None:
    """It gives back what was running, goes on, and tells of the job if that is dead then."""
    leaver = leave_once.using(max_attempts=attempts).enqueue(code=own_code)
    neighbours = noop.enqueue_many([{}] * 20)
    with Runjobs("--drain", "--processes", "1", "--threads", "1") as runjobs:
        ended, output = runjobs.wait()

    leaver.refresh_from_db()
    assert ended == code, output
    assert (leaver.state, leaver.attempt) == ("dead" if code else "succeeded", attempts)
    assert "was lost" in leaver.errors[0]["message"]
    assert "without an orderly end" in output
    assert Job.objects.filter(kind="app.noop", state="succeeded").count() == len(neighbours)


@pytest.mark.once
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--queues", "defalt"], "Did you mean 'default'"),
        (["--queues", ","], "is no list of queues"),
        (["--queues", "default=0"], "no whole number from 1 to 1,000"),
        *[
            (["--threads", count], "no whole number from 1 to 1,000")
            for count in ("0", "x", "1001")
        ],
        (["--processes", "100000"], "no whole number from 1 to 1,000"),
        (["--max-memory", "9" * 20], "no whole number from 1 to 1,000,000,000"),
        *[(["--name", name], "is no name") for name in ("", "x" * 191, "a\nb", "a\x1b", "a\udcff")],
        *[
            (["--shutdown-timeout", seconds], "is no number of seconds above 0")
            for seconds in ("nan", "inf", "0", "soon")
        ],
        (["--health-file", ""], "is no file that can be written"),
    ],
    ids=ascii,
)
def test_an_odd_word_is_refused_with_what_to_write(words: list[str], told: str) -> None:
    with pytest.raises(CommandError, match=told):
        call_command("runjobs", *words)
