"""Processes that a handler forks: they end when they are told to, and leave our sessions alone."""

from typing import Any, cast

import psutil
import pytest

from forge_jobs.models import Job, State
from tests.app.jobs import (
    fork_a_pool,
    fork_and_come_back,
    fork_and_come_back_async,
    fork_and_leave_behind,
    fork_and_terminate,
    fork_and_use_the_database,
    noop,
)
from tests.app.models import Effect
from tests.running import Runjobs

CODES = {"return": 0, "exit": 5, "raise": 1}

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.processes]


ARRANGEMENTS = pytest.mark.parametrize(
    "arguments", [(), ("--processes", "1")], ids=["alone", "supervised"]
)


@ARRANGEMENTS
def test_a_forked_process_is_free_of_ours(arguments: tuple[str, ...]) -> None:
    terminated = fork_and_terminate.enqueue()
    pool = fork_a_pool.enqueue()
    forked = fork_and_use_the_database.enqueue(number=1)
    with Runjobs("--drain", "--threads", "1", *arguments) as runjobs:
        code, output = runjobs.wait()

    results = dict(Job.objects.values_list("pk", "result"))
    assert results == {terminated.pk: [-15, -15], pool.pk: [1, 4, 9], forked.pk: 0}, output
    assert set(Job.objects.values_list("state", flat=True)) == {State.SUCCEEDED}
    assert sorted(Effect.objects.values_list("number", flat=True)) == [1, 2, 3]
    assert code == 0


@ARRANGEMENTS
def test_a_process_that_a_handler_leaves_behind_ends_with_ours(arguments: tuple[str, ...]) -> None:
    job = fork_and_leave_behind.enqueue()
    with Runjobs("--drain", "--threads", "1", *arguments) as runjobs:
        code, output = runjobs.wait()

    pid = Job.objects.values_list("result", flat=True).get(pk=job.pk)
    assert f"ending process {pid}, which a handler has left behind" in output
    assert not psutil.pid_exists(cast("int", pid))
    assert code == 0


@pytest.mark.parametrize("handler", [fork_and_come_back, fork_and_come_back_async], ids=str)
def test_a_forked_process_that_comes_back_from_its_handler_ends(handler: Any) -> None:
    """It would be a second worker otherwise, with the same job and whatever waits behind it."""
    jobs = {handler.enqueue(how=how).pk: code for how, code in CODES.items()}
    neighbours = noop.enqueue_many([{}] * 3)
    with Runjobs("--drain", "--threads", "1") as runjobs:
        code, output = runjobs.wait()

    results = dict(Job.objects.filter(pk__in=jobs).values_list("pk", "result"))
    assert results == jobs, output
    assert Job.objects.filter(kind=noop.kind, state=State.SUCCEEDED).count() == len(neighbours)
    assert "of the fork" in output
    assert code == 0
