"""Handlers that run in a process of their own, with all that others have."""

from typing import Any

import psutil
import pytest

from forge_jobs import job
from forge_jobs.exceptions import InvalidHandler
from forge_jobs.models import Job, State
from forge_jobs.testing import run
from tests.app.models import Effect
from tests.children import isolated
from tests.running import Runjobs, eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


def runjobs(*arguments: str) -> Runjobs:
    return Runjobs("--threads", "2", *arguments, FORGE_JOBS_TEST_IMPORTS="tests.children.isolated")


def drained() -> str:
    with runjobs("--drain") as running:
        code, output = running.wait()
    assert code in (0, 3), output
    return output


def test_jobs_share_a_fresh_interpreter_that_has_loaded_what_they_need() -> None:
    jobs = [isolated.where.enqueue() for _ in range(3)]

    drained()

    results: list[Any] = [Job.objects.get(pk=one.pk).result for one in jobs]
    assert all(result["loaded"] for result in results)
    assert {*results[0]["threads"]} == {"MainThread", "forge_jobs-listener"}
    assert len({result["pid"] for result in results}) <= 2


@pytest.mark.parametrize(
    ("how", "state", "told"),
    [
        ("segfault", State.DEAD, "The child was ended by SIGSEGV before it had answered."),
        ("exit", State.DEAD, "The child ended with exit code 0 before it had answered."),
        ("leave", State.DEAD, "SystemExit: 5"),
        ("raise", State.DEAD, "LookupError: no such order"),
        ("dead", State.DEAD, "never"),
        ("throttled", State.SCHEDULED, ""),
    ],
)
def test_what_a_run_comes_to_is_its_own(how: str, state: State, told: str) -> None:
    ended = isolated.ends.enqueue(how=how)
    other = isolated.where.enqueue()

    drained()

    ended.refresh_from_db()
    other.refresh_from_db()
    assert (ended.state, ended.last_error) == (state, told)
    assert other.state == State.SUCCEEDED
    if how == "raise":
        assert ended.errors[0]["exception"] == "builtins.LookupError"
        assert "isolated.py" in ended.errors[0]["traceback"]


def test_an_exception_that_is_final_is_so_there_too() -> None:
    ended = isolated.final.enqueue()

    drained()

    ended.refresh_from_db()
    assert (ended.state, ended.attempt) == (State.DEAD, 1)


@pytest.mark.parametrize("how", ["python", "c"])
def test_a_kill_and_a_timeout_end_what_no_exception_reaches(how: str) -> None:
    killed = isolated.spins.enqueue(how=how)
    timed_out = isolated.spins.using(timeout=1).enqueue(how=how)
    with runjobs() as running:
        eventually(lambda: Job.objects.get(pk=timed_out.pk).state == State.DEAD)
        killed.kill("it spins")
        eventually(lambda: Job.objects.get(pk=killed.pk).state == State.CANCELLED)
        isolated.where.enqueue()
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).exists())
        running.terminate()
        assert running.wait()[0] == 0

    timed_out.refresh_from_db()
    assert timed_out.last_error.startswith("Timed out after 1 s")


def test_the_context_reaches_to_the_child_and_back() -> None:
    told = isolated.tells.enqueue()
    with runjobs() as running:
        eventually(lambda: Job.objects.get(pk=told.pk).progress is not None)
        told.cancel("enough")
        eventually(lambda: Job.objects.get(pk=told.pk).state == State.SUCCEEDED)
        eventually(lambda: Job.objects.filter(kind="app.noop", state=State.SUCCEEDED).exists())
        running.terminate()
        code, output = running.wait()

    assert code == 0
    told.refresh_from_db()
    assert told.result == "enough"
    assert told.progress == {"done": 3, "total": 4, "message": "nearly"}
    assert f"tests.tells #{told.pk}: said by its logger" in output
    assert f"tests.tells #{told.pk}: said elsewhere" in output


def test_an_atomic_handler_commits_with_its_outcome_in_its_child() -> None:
    good = isolated.books.enqueue(number=1)
    bad = isolated.books.enqueue(number=2, fails=True)

    drained()

    good.refresh_from_db()
    bad.refresh_from_db()
    assert (good.state, good.result) == (State.SUCCEEDED, 2)
    assert good.progress == {"done": 1, "total": None, "message": ""}
    assert bad.state == State.DEAD
    assert [*Effect.objects.values_list("number", flat=True)] == [1]


def test_an_async_handler_runs_there_and_what_it_prints_is_no_answer() -> None:
    waited = isolated.waits.enqueue()

    drained()

    waited.refresh_from_db()
    assert waited.result == "0 effects"


def test_nobody_is_left_where_runjobs_is_killed() -> None:
    isolated.spins.enqueue(how="c")
    with runjobs() as running:
        eventually(lambda: Job.objects.filter(state=State.RUNNING).exists())
        everybody = psutil.Process(running.process.pid).children(recursive=True)

        running.kill()

        eventually(lambda: not any(one.is_running() for one in everybody))


def test_in_a_project_s_tests_it_runs_where_the_test_is() -> None:
    outcome = run(isolated.books, {"number": 3})

    assert Effect.objects.filter(number=3).exists()
    assert vars(outcome)["result"] == 4


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"isolation": "thread"}, "isolation"),
        ({"isolation": "process", "preload": 5}, "preload"),
        ({"preload": "shop.models"}, "preload"),
        ({"max_memory": 2**30}, "max_memory"),
        ({"isolation": "process", "max_memory": "1G"}, "max_memory"),
    ],
)
def test_what_can_not_be_is_refused_where_it_is_declared(
    options: dict[str, Any], field: str
) -> None:
    made: Any = job(kind="tests.subject", **options)

    with pytest.raises(InvalidHandler) as raised:
        made(do_nothing)

    assert raised.value.field == field


def do_nothing() -> None: ...
