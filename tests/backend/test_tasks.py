"""Django's task API: what it promises of a backend, kept by jobs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import transaction
from django.dispatch import Signal

from forge_jobs import exceptions
from forge_jobs.backend import ForgeJobsBackend
from forge_jobs.backend.api import (
    InvalidTask,
    TaskResult,
    TaskResultDoesNotExist,
    TaskResultStatus,
    task_backends,
    task_enqueued,
    task_finished,
    task_started,
)
from forge_jobs.clock import ManualClock
from forge_jobs.exceptions import InvalidArguments, ProcessLost
from forge_jobs.handlers.registry import registry
from forge_jobs.models import Job, State
from forge_jobs.services.reaper import reclaim
from tests.app import tasks
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)

MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)


def ran(result: TaskResult[..., Any], *, queues: tuple[str, ...] = ("default",)) -> Any:
    """What it is once nothing is left to run."""
    drain(queues=queues)
    result.refresh()
    return result


@contextmanager
def heard(signal: Signal) -> Iterator[list[tuple[Any, Any]]]:
    """Who sent a signal, and of which result."""
    told: list[tuple[Any, Any]] = []

    def receiver(sender: Any, task_result: Any, **kwargs: Any) -> None:
        told.append((sender, replace(task_result)))
        object.__setattr__(told[-1][1], "_return_value", task_result._return_value)

    signal.connect(receiver)
    try:
        yield told
    finally:
        signal.disconnect(receiver)


def test_a_task_is_a_job_of_its_own_kind_and_gives_its_result() -> None:
    result: Any = tasks.add.enqueue(2, b=3)

    job = Job.objects.get(pk=int(result.id))
    assert (job.kind, job.payload, job.max_attempts) == ("tests.app.tasks.add", {"a": 2, "b": 3}, 1)
    assert (result.status, result.args, result.kwargs) == (TaskResultStatus.READY, [2], {"b": 3})
    assert result.enqueued_at == job.enqueued_at
    assert (result.started_at, result.worker_ids, result.attempts) == (None, [], 0)

    ran(result)
    assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, 5)
    assert (result.worker_ids, result.attempts) == (["tested"], 1)
    assert result.started_at == result.last_attempted_at
    assert result.finished_at is not None


def test_a_coroutine_is_a_task_like_any_other() -> None:
    assert ran(tasks.slow_add.enqueue(1, 2)).return_value == 3


def test_a_result_is_found_by_its_id_and_is_that_of_its_task() -> None:
    result = tasks.add.enqueue(1)

    found = tasks.add.get_result(result.id)
    assert found == result
    assert isinstance(result.id, str)


@pytest.mark.parametrize("unknown", ["7", "seven", "", "-1", "²", "9" * 60])
def test_an_id_of_nothing_is_refused_as_django_says(unknown: str) -> None:
    with pytest.raises(TaskResultDoesNotExist):
        tasks.add.get_result(unknown)


def test_a_pruned_task_and_a_job_that_is_none_have_no_result() -> None:
    from tests.app.jobs import noop

    gone = tasks.add.enqueue(1)
    Job.objects.all().delete()
    odd = [str(stored_job(kind=kind).pk) for kind in ("..odd", ".", "odd", "odd.")]
    for pk in (gone.id, str(noop.enqueue().pk), *odd):
        with pytest.raises(TaskResultDoesNotExist):
            task_backends["default"].get_result(pk)


def test_the_context_tells_of_the_run_as_it_is() -> None:
    result = ran(tasks.attempted.enqueue(name="x"))

    assert result.return_value == {
        "name": "x",
        "attempt": 1,
        "workers": ["tested"],
        "status": "RUNNING",
        "id": result.id,
    }


def test_arguments_without_a_name_come_back_as_they_were_given() -> None:
    result: Any = tasks.post.enqueue("a@x", "b@x", cc="c@x")

    assert (result.args, result.kwargs) == (["a@x", "b@x"], {"cc": "c@x"})
    assert ran(result, queues=("other",)).return_value == ["a@x", "b@x", "c@x"]


def test_queue_and_priority_are_the_task_s_and_its_queue_may_have_another_name_here() -> None:
    job = Job.objects.get(pk=tasks.post.enqueue().id)

    assert (job.queue, job.priority) == ("other", 7)
    assert tasks.post.get_result(str(job.pk)).task == tasks.post
    other: Any = tasks.add.using(queue_name="mail", priority=-3).enqueue(1)
    assert (other.task.queue_name, other.task.priority) == ("mail", -3)
    assert tasks.add.get_result(other.id).task == other.task


@pytest.mark.parametrize(
    "change",
    [
        {"queue_name": "unheard_of"},
        {"priority": 101},
        {"priority": 0.5},
        {"priority": float("nan")},
        {"priority": "1"},
        {"run_after": datetime(2026, 3, 2)},  # noqa: DTZ001 - naive, to be refused
        {"run_after": 5},
    ],
    ids=repr,
)
def test_what_a_task_cannot_be_is_refused_at_once(change: dict[str, Any]) -> None:
    with pytest.raises(InvalidTask):
        tasks.add.using(**change)


def test_a_priority_between_two_is_refused_in_django_s_words() -> None:
    with pytest.raises(InvalidTask, match=r"whole number between -100 and 100\."):
        tasks.add.using(priority=3.1)  # type: ignore[arg-type] # wrong, to be refused


def test_run_after_is_a_moment_or_a_duration_from_when_it_is_enqueued(
    manual_clock: ManualClock,
) -> None:
    later: Any = tasks.add.using(run_after=HOUR)  # type: ignore[arg-type]  # as Django documents it
    manual_clock.advance(MINUTE)
    result = later.enqueue(1)

    job = Job.objects.get(pk=result.id)
    assert (job.state, job.run_at) == (State.SCHEDULED, NOON + MINUTE + HOUR)
    assert result.task.run_after == job.run_at
    assert tasks.add.get_result(result.id).task.run_after == job.run_at
    assert tasks.add.using(run_after=NOON).enqueue(1).status == TaskResultStatus.READY


@pytest.mark.parametrize(
    ("args", "kwargs", "reason"),
    [
        ((), {}, "missing a required argument: 'a'"),
        ((1, 2, 3), {}, "too many positional arguments"),
        ((1,), {"c": 2}, "unexpected keyword argument 'c'"),
        ((float("nan"),), {}, "args[0] is nan"),
        ((), {"a": {1: 2}}, "kwargs.a has the key 1"),
        ((), {"a": {"x": [{1, 2}]}}, "kwargs.a.x[0] is not JSON"),
        ((NOON,), {}, "Unsupported type: <class 'datetime.datetime'>"),
        (("a\0b",), {}, "NUL"),
        ((b"\xff",), {}, "args[0] is not JSON"),
    ],
    ids=str,
)
def test_a_call_that_cannot_be_made_or_kept_is_refused_before_anything_is_written(
    args: tuple[Any, ...], kwargs: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidArguments) as refusal:
        tasks.add.enqueue(*args, **kwargs)

    assert reason in str(refusal.value)
    assert str(refusal.value).startswith(("args", "kwargs", "the arguments do not fit"))
    assert isinstance(refusal.value, TypeError)
    assert not Job.objects.exists()


def test_tuples_become_lists_and_bytes_text_as_with_every_backend() -> None:
    add: Any = tasks.add
    result = add.enqueue((1, 2), b=b"x")

    assert (result.args, result.kwargs) == ([[1, 2]], {"b": "x"})
    assert ran(tasks.give.enqueue("tuple")).return_value == [1, 2]
    assert ran(tasks.give.enqueue("bytes")).return_value == "x"


@pytest.mark.parametrize(
    ("kind", "error"),
    [("set", TypeError), ("nan", exceptions.NotAResult), ("keys", exceptions.NotAResult)],
)
def test_a_result_that_is_no_json_is_a_failure(kind: str, error: type[Exception]) -> None:
    result = ran(tasks.give.enqueue(kind))

    assert result.status == TaskResultStatus.FAILED
    assert result.errors[0].exception_class is error


def test_an_exception_is_told_with_its_class_and_where_it_came_from() -> None:
    result = ran(tasks.bounce.enqueue("nobody@example.com"))

    assert (result.status, result.attempts) == (TaskResultStatus.FAILED, 1)
    (error,) = result.errors
    assert error.exception_class is tasks.Bounced
    assert "in bounce" in error.traceback
    with pytest.raises(ValueError, match="Task failed"):
        _ = result.return_value


def test_an_exit_fails_its_task_and_nothing_else() -> None:
    assert ran(tasks.give_up.enqueue()).errors[0].exception_class is SystemExit


def test_a_backend_may_grant_more_attempts_each_with_its_worker(manual_clock: ManualClock) -> None:
    result: Any = tasks.bounce.using(backend="patient").enqueue("x")
    assert Job.objects.get(pk=result.id).max_attempts == 3

    drain()
    result.refresh()
    first = result.started_at
    assert (result.status, result.attempts, len(result.errors)) == (TaskResultStatus.READY, 1, 1)

    manual_clock.advance(HOUR)
    Job.objects.all().run_now()
    ran(result)
    assert (result.attempts, result.worker_ids) == (2, ["tested"] * 2)
    assert result.started_at == first
    assert result.last_attempted_at >= first + HOUR
    assert result.backend == "patient"


def test_the_end_after_very_many_attempts_is_told_with_all_errors_that_are_kept() -> None:
    result: Any = tasks.bounce.enqueue("x")
    error = {"at": NOON.isoformat(), "message": "x", "exception": "builtins.OSError"}
    errors = [{**error, "attempt": attempt} for attempt in range(8, 40)]
    Job.objects.update(attempt=39, max_attempts=40, errors=errors)

    with heard(task_finished) as told:
        ran(result)

    assert (result.attempts, len(result.worker_ids), len(result.errors)) == (40, 40, 32)
    assert [one.errors for _, one in told] == [result.errors]


def test_a_task_whose_process_is_lost_has_failed_for_it_runs_once() -> None:
    result: Any = tasks.add.enqueue(1)
    process = process_named("gone")
    (job,) = Job.objects.claim(
        queue="default", kinds=[tasks.add.module_path], limit=1, process=process, now=NOON
    )
    assert Job.objects.begin(job, process=process, now=NOON)
    result.refresh()
    assert (result.status, result.worker_ids) == (TaskResultStatus.RUNNING, ["gone"])

    with heard(task_finished) as told:
        reclaim(process, now=NOON + HOUR)

    result.refresh()
    assert (result.status, result.worker_ids) == (TaskResultStatus.FAILED, ["gone"])
    assert result.errors[0].exception_class is ProcessLost
    assert [(sender, one.id) for sender, one in told] == [(ForgeJobsBackend, result.id)]


def test_a_cancelled_task_has_failed_with_the_reason() -> None:
    result: Any = tasks.add.enqueue(1)
    Job.objects.get(pk=result.id).cancel("not needed")

    result.refresh()
    assert (result.status, result.attempts) == (TaskResultStatus.FAILED, 0)


def test_a_requeued_task_begins_a_new_life() -> None:
    result = ran(tasks.bounce.enqueue("x"))
    Job.objects.get(pk=result.id).requeue()

    result.refresh()
    assert (result.status, result.attempts) == (TaskResultStatus.READY, 0)
    assert (result.errors, result.worker_ids, result.started_at) == ([], [], None)
    assert ran(result).attempts == 1


def test_django_s_signals_come_from_the_backend_with_what_is_true_then() -> None:
    with (
        heard(task_enqueued) as enqueued,
        heard(task_started) as started,
        heard(task_finished) as finished,
    ):
        result = ran(tasks.add.enqueue(1))

    for told, status in (
        (enqueued, TaskResultStatus.READY),
        (started, TaskResultStatus.RUNNING),
        (finished, TaskResultStatus.SUCCESSFUL),
    ):
        ((sender, seen),) = told
        assert (sender, seen.id, seen.status) == (ForgeJobsBackend, result.id, status)
    assert started[0][1].worker_ids == ["tested"]
    assert finished[0][1].return_value == 2
    assert finished[0][1].finished_at is not None


@pytest.mark.skipif(not tasks.TAKES_OPTIONS, reason="@task takes no options in Django 6.0")
@pytest.mark.parametrize(
    "signal", [task_enqueued, task_started, task_finished], ids=["enqueued", "started", "finished"]
)
def test_a_receiver_is_told_nothing_that_nobody_should_read(signal: Signal) -> None:
    with heard(signal) as told:
        result: Any = tasks.discreet.enqueue("secret", token="secret")
        drain()

    ((_, seen),) = told
    assert (seen.args, seen.kwargs) == (["•••"], {"token": "•••"})
    result.refresh()
    assert (result.args, result.return_value) == (["secret"], "secretsecret")


def test_an_attempt_that_will_be_repeated_finishes_nothing() -> None:
    with heard(task_finished) as told:
        tasks.bounce.using(backend="patient").enqueue("x")
        drain()

    assert told == []


def test_a_rolled_back_enqueue_leaves_nothing() -> None:
    with transaction.atomic():
        tasks.add.enqueue(1)
        transaction.set_rollback(True)

    assert not Job.objects.exists()


def test_async_callers_get_the_same() -> None:
    async def there_and_back() -> Any:
        result: Any = await tasks.add.aenqueue(1)
        found: Any = await tasks.add.aget_result(result.id)
        await found.arefresh()
        return found

    assert async_to_sync(there_and_back)().args == [1]


@pytest.mark.skipif(not tasks.TAKES_OPTIONS, reason="@task takes no options in Django 6.0")
def test_a_task_may_have_the_options_of_a_job() -> None:
    handler = registry.get("tests.app.tasks.stubborn")
    job = Job.objects.get(pk=tasks.stubborn.enqueue("t").id)

    assert (job.max_attempts, job.timeout_seconds, handler.redact) == (3, 60, frozenset({"token"}))
    assert ran(tasks.bounce_for_good.enqueue()).status == TaskResultStatus.FAILED
    changed: Any = tasks.stubborn.using(max_attempts=None, dedupe_key="one")
    twice = [Job.objects.get(pk=changed.enqueue("x").id) for _ in range(2)]
    assert (twice[0], twice[0].max_attempts) == (twice[1], None)


@pytest.mark.skipif(not tasks.TAKES_OPTIONS, reason="@task takes no options in Django 6.0")
def test_a_task_that_says_for_how_long_it_is_retried_need_not_say_how_often() -> None:
    assert ran(tasks.bounce_for_an_hour.enqueue()).status == TaskResultStatus.READY
    assert Job.objects.get().state == State.RETRYING


@pytest.mark.skipif(not tasks.TAKES_OPTIONS, reason="@task takes no options in Django 6.0")
@pytest.mark.parametrize(
    ("options", "named"),
    [({"max_attempts": 0}, "max_attempts"), ({"timeout": 0}, "timeout"), ({"speed": 1}, "speed")],
    ids=repr,
)
def test_an_option_that_cannot_be_is_refused_where_the_task_is_made(
    options: dict[str, Any], named: str
) -> None:
    decorate: Any = tasks.decorate
    with pytest.raises((InvalidTask, TypeError), match=named):
        decorate(**options)(unmade)


def unmade() -> None: ...


def test_a_function_of_a_function_can_be_no_task() -> None:
    decorate: Any = tasks.decorate

    def inner() -> None: ...

    with pytest.raises(InvalidTask, match="module level"):
        decorate()(inner)
