"""Which tasks a process knows, and when they may be made."""

from __future__ import annotations

import os
import subprocess
import sys
from types import ModuleType
from typing import Any

import django
import pytest
from django.test import override_settings

from forge_jobs.apps import autodiscover
from forge_jobs.backend.discovery import know_tasks_of
from forge_jobs.handlers.registry import registry
from tests.app import tasks
from tests.running import PATIENCE, ROOT

OURS = "forge_jobs.backend.ForgeJobsBackend"

EARLY = """
import sys
from django.conf import settings

settings.configure(TASKS={"default": {"BACKEND": "forge_jobs.backend.ForgeJobsBackend"}})
from tests.backend.early import enlist

print(enlist.using(priority=3).priority, "forge_jobs.models" in sys.modules)
"""


def doubled(number: int) -> int:
    return number * 2


def test_a_task_may_be_made_before_there_are_models() -> None:
    early = subprocess.run(
        [sys.executable, "-c", EARLY],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": ""},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    assert early.stdout == "3 False\n", early.stderr


def test_a_task_of_another_backend_is_known_for_it_may_be_enqueued_here() -> None:
    home = "django.tasks" if django.VERSION >= (6, 0) else "django_tasks"
    elsewhere = {"BACKEND": f"{home}.backends.dummy.DummyBackend"}
    with override_settings(TASKS={"default": {"BACKEND": OURS}, "elsewhere": elsewhere}):
        know_tasks_of([holding(tasks.decorate(backend="elsewhere")(doubled))])

    assert registry.get(kind_of_doubled()).max_attempts == 1


@pytest.mark.skipif(django.VERSION < (6, 0), reason="the package is all there is")
def test_a_task_made_by_the_package_beside_django_s_own_is_known() -> None:
    from django_tasks import signals, task  # noqa: F401 - signals hear of changed settings

    elsewhere = {"BACKEND": "django_tasks.backends.dummy.DummyBackend"}
    with override_settings(TASKS={"default": {"BACKEND": OURS}, "elsewhere": elsewhere}):
        know_tasks_of([holding(task(backend="elsewhere")(doubled))])

    assert registry.find(kind_of_doubled())


@pytest.mark.parametrize(
    "shape", [None, [], {"default": "x"}, {"default": {}}, {"default": {"BACKEND": "no.where"}}]
)
def test_what_is_wrong_with_tasks_is_django_s_to_tell(shape: Any) -> None:
    with override_settings(TASKS=shape):
        autodiscover()


def holding(task: Any) -> ModuleType:
    module = ModuleType("holding")
    module.__dict__["task"] = task
    return module


def kind_of_doubled() -> str:
    return f"{doubled.__module__}.{doubled.__qualname__}"
