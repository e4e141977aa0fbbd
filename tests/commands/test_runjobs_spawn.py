"""`runjobs --spawn`: a supervisor whose processes are fresh interpreters."""

from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from forge_jobs.models import Job, Process, State
from tests.app.jobs import wait_for_cancel
from tests.running import PATIENCE, Runjobs, eventually
from tests.runtime.command.nursling import tell_of_interpreter

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]

NURSLING = "tests.runtime.command.nursling"


def runjobs(*arguments: str, flags: Sequence[str] = (), **environment: str) -> Runjobs:
    return Runjobs(*arguments, flags=flags, FORGE_JOBS_TEST_IMPORTS=NURSLING, **environment)


def told(job: Job) -> object:
    job.refresh_from_db()
    return job.result


def test_processes_are_fresh_interpreters_with_the_same_options_and_succeed_one_another() -> None:
    jobs = tell_of_interpreter.enqueue_many([{}] * 30)
    words = ("--spawn", "--drain", "--threads", "1", "--max-jobs-per-process", "20")
    with runjobs(*words, flags=["-X", "dev", "-W", "ignore"]) as running:
        code, output = running.wait()

    assert code == 0, output
    assert output.count("it has run 20 jobs") == 1
    assert "ended with exit code 0" in output
    assert told(jobs[0]) == told(jobs[-1])
    assert told(jobs[0]) == {
        "is_its_own": True,
        "options": [True, ["default", "ignore"], {"dev": True}],
        "has_orders": False,
    }


def test_it_is_chosen_by_itself_where_the_supervisor_uses_a_cuda_driver() -> None:
    job = tell_of_interpreter.enqueue()
    with runjobs("--drain", "--processes", "1", TEST_USES_CUDA="1") as running:
        code, output = running.wait()

    assert code == 0, output
    assert "fresh interpreters, as with --spawn, for CUDA works in no fork" in output
    assert "libcuda.so.1 is loaded, /dev/nvidia0 is open" in output
    assert (Job.objects.get(pk=job.pk).result or {})["is_its_own"] is True


def test_one_that_is_killed_is_succeeded_and_none_outlives_its_supervisor() -> None:
    job = wait_for_cancel.enqueue(seconds=PATIENCE)
    with runjobs("--spawn", "--name", "tested", "--shutdown-timeout", "0.1") as running:
        eventually(Job.objects.running().exists)
        psutil.Process(Process.objects.get(name="tested.1").pid).kill()
        eventually(lambda: Job.objects.running().filter(pk=job.pk, attempt=2).exists())
        successor = psutil.Process(Process.objects.get(name="tested.1").pid)

        running.kill()

        eventually(lambda: not successor.is_running())
        assert "its supervisor is gone" in running.output
    assert (Job.objects.get(pk=job.pk).state, Process.objects.count()) == (State.READY, 0)


def test_a_stop_waits_until_a_process_has_loaded_the_project(tmp_path: Path) -> None:
    held = tmp_path / "held"
    held.touch()
    with runjobs("--spawn", "--processes", "2", TEST_HELD_BACK_BY=str(held)) as running:
        eventually(held.with_suffix(".met").exists)
        eventually(lambda: len(running.pids) == 3)
        running.terminate()
        held.unlink()
        code, output = running.wait()

    assert code == 0, output
    assert "was killed by" not in output


def test_one_that_can_not_load_the_project_is_tried_more_and_more_slowly() -> None:
    with runjobs("--spawn", TEST_CAN_NOT_LOAD="1") as running:
        eventually(lambda: "died early 3 times" in running.output)
        running.terminate()
        code, output = running.wait()

    assert code in (0, 1), output
    assert "it can't be loaded" in output
