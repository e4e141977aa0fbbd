"""What `TASKS` may say of a backend, and how it is told where it says something else."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from forge_jobs.backend import ForgeJobsBackend


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"QUEUES": "default"}, "[\"QUEUES\"] must be a list of names, not 'default'"),
        ({"QUEUES": None}, '["QUEUES"] must be a list of names, not None'),
        ({"QUEUES": [1]}, '["QUEUES"] must be a list of names, not [1]'),
        ({"OPTIONS": None}, '["OPTIONS"] must be a dictionary, not None'),
        ({"OPTIONS": {"queues": ["a"]}}, '["queues"] must be a dictionary of names of queues'),
        ({"OPTIONS": {"queues": {"a": 5}}}, '["queues"] must be a dictionary of names of queues'),
        ({"OPTIONS": {"max_attempts": "3"}}, '["max_attempts"] must be 1 or more, or None'),
        ({"OPTIONS": {"max_attempts": 0}}, '["max_attempts"] must be 1 or more, or None'),
        ({"OPTIONS": {"timeout": "1"}}, '["timeout"] must be a timedelta or a number of seconds'),
        ({"OPTIONS": {"timeout": 0}}, '["timeout"] must be longer than 0 seconds'),
    ],
    ids=str,
)
def test_a_backend_that_cannot_be_made_says_which_word_of_tasks_is_wrong(
    params: dict[str, Any], told: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        ForgeJobsBackend("mine", params)

    assert str(refusal.value).startswith("TASKS['mine'][")
    assert told in str(refusal.value)


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"OPTIONS": {"speed": 1}}, "has the option 'speed', which there is not"),
        ({"OPTIONS": {"database": "other"}}, "names the database 'other', but jobs are kept in"),
        ({"QUEUES": ["letters"]}, "has the queue 'letters', whose jobs would go to 'letters'"),
        (
            {"QUEUES": ["letters"], "OPTIONS": {"queues": {"letters": "post"}}},
            "whose jobs would go to 'post', which is not declared",
        ),
    ],
    ids=str,
)
def test_what_does_not_fit_the_project_is_told_by_a_check(
    params: dict[str, Any], told: str
) -> None:
    (error,) = ForgeJobsBackend("mine", params).check()

    assert error.id == "forge_jobs.E018"
    assert told in error.msg


def test_a_backend_without_a_word_fits() -> None:
    assert ForgeJobsBackend("mine", {}).check() == []
    assert ForgeJobsBackend("mine", {"QUEUES": []}).check() == []


def test_the_check_says_what_to_install(settings: Any) -> None:
    settings.INSTALLED_APPS = []

    (error,) = ForgeJobsBackend("mine", {}).check()
    assert error.hint == 'Add "forge_jobs" to INSTALLED_APPS.'
