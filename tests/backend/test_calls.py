"""How the arguments of a task travel, whatever its function takes."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings

from forge_jobs import enqueue
from forge_jobs.backend.api import TaskResultStatus
from forge_jobs.exceptions import InvalidPayload
from forge_jobs.models import Job
from tests.app import tasks
from tests.running import drain

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(
    ("task", "args", "kwargs", "returned"),
    [
        (tasks.placed, [1], {}, [1, 2, 3]),
        (tasks.placed, [1, 5], {"c": 7}, [1, 5, 7]),
        (tasks.placed_after_context, [7], {}, [1, 7]),
        (tasks.named, [1], {"b": 2}, [1, 2, 3]),
        (tasks.odd, [1], {"kwargs": {"a": 2}, "ctx": 3}, [1, {"a": 2}, 3, None]),
        (tasks.wrapped, [1], {"b": 2}, ["wrapped", 1, 2]),
        (tasks.post, ["a@x"], {"args": "b@x", "kwargs": "c@x"}, ["a@x", "b@x", "c@x"]),
    ],
    ids=lambda value: getattr(value, "name", str(value)),
)
def test_a_function_is_called_as_it_was_enqueued(
    task: Any, args: list[Any], kwargs: dict[str, Any], returned: Any
) -> None:
    result = task.enqueue(*args, **kwargs)
    assert (result.args, result.kwargs) == (args, kwargs)

    drain(queues=("default", "other"))
    result.refresh()
    assert (result.status, result.return_value) == (TaskResultStatus.SUCCESSFUL, returned)
    assert task.get_result(result.id) == result


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        ({"a": 1}, 'pass {"args": [...], "kwargs": {...}}'),
        ({"args": 1}, 'pass {"args": [...], "kwargs": {...}}'),
        ({"args": [], "kwargs": {"c": 1}}, "missing a required"),
    ],
    ids=str,
)
def test_a_job_of_a_task_without_names_is_refused_if_its_payload_is_no_call(
    payload: dict[str, Any], reason: str
) -> None:
    with pytest.raises(InvalidPayload) as refusal:
        enqueue(tasks.placed.module_path, payload)

    assert reason in str(refusal.value)


@pytest.mark.parametrize("context", [{"django.tasks": "mine"}, {"task": 1}, {}], ids=repr)
def test_a_job_of_a_task_may_come_in_without_the_task_api(context: dict[str, Any]) -> None:
    job = enqueue(tasks.add.module_path, {"a": 1, "b": 2}, context=context)
    assert job.max_attempts == 1

    drain()
    result: Any = tasks.add.get_result(str(job.pk))
    assert (result.args, result.kwargs, result.return_value) == ([], {"a": 1, "b": 2}, 3)


def test_the_task_of_a_new_result_is_the_one_that_was_enqueued() -> None:
    changed: Any = tasks.add.using(priority=3)
    if tasks.TAKES_OPTIONS:
        changed = changed.using(max_attempts=4, timeout=5)

    assert changed.enqueue(1).task is changed


def test_what_is_returned_and_is_no_json_is_told_in_words_that_say_so() -> None:
    result: Any = tasks.give.enqueue("set")
    drain()
    result.refresh()

    assert "What the task returned is not JSON serializable" in result.errors[0].traceback


def test_a_task_that_puts_itself_off_has_made_no_attempt() -> None:
    result: Any = tasks.doze.enqueue()
    drain()
    result.refresh()

    assert (result.status, result.attempts) == (TaskResultStatus.READY, 0)
    assert (result.started_at, result.last_attempted_at) == (None, None)


def test_a_backend_that_settings_do_not_name_any_more_costs_its_tasks_nothing() -> None:
    with override_settings(TASKS={"old": {"BACKEND": "forge_jobs.backend.ForgeJobsBackend"}}):
        result: Any = tasks.add.using(backend="old").enqueue(1)
    drain()

    found = tasks.add.get_result(result.id)
    assert (found.backend, found.return_value) == ("old", 2)
    assert Job.objects.get().max_attempts == 1
