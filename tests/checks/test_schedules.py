"""The system checks of declared schedules."""

from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from pytest_django import Settings

from forge_jobs import job, schedule
from forge_jobs.checks.schedules import check_schedules


@pytest.fixture
def declare(settings: Settings) -> Any:
    def declare(**schedules: dict[str, Any]) -> list[CheckMessage]:
        usual = {"kind": "app.noop", "cron": "0 3 * * *"}
        settings.FORGE_JOBS = {
            **settings.FORGE_JOBS,
            "SCHEDULES": {name: {**usual, **options} for name, options in schedules.items()},
        }
        return check_schedules(None)

    return declare


def test_good_schedules_pass(declare: Any) -> None:
    assert declare(nightly={}, hourly={"kind": "app.effect", "payload": {"number": 1}}) == []


def test_e010_a_schedule_of_an_unknown_kind(declare: Any) -> None:
    (error,) = declare(nightly={"kind": "app.no_such_kind"})

    assert error.id == "forge_jobs.E010"
    assert "'nightly'" in error.msg
    assert "app.no_such_kind" in error.msg


@pytest.mark.parametrize("payload", [{}, {"numbr": 1}])
def test_e011_a_schedule_whose_payload_does_not_fit(declare: Any, payload: dict[str, Any]) -> None:
    (error,) = declare(nightly={"kind": "app.effect", "payload": payload})

    assert error.id == "forge_jobs.E011"
    assert "number" in error.msg


def test_e012_two_schedules_of_one_name(declare: Any) -> None:
    @job(kind="app.other", schedules=[schedule("@daily", name="nightly")])
    def other() -> None: ...

    (error,) = declare(nightly={})
    assert error.id == "forge_jobs.E012"
    assert "'nightly'" in error.msg
    assert "app.other, app.noop" in str(error.hint)


def test_e013_a_schedule_for_an_undeclared_queue(declare: Any) -> None:
    (error,) = declare(nightly={"queue": "nowhere"})

    assert error.id == "forge_jobs.E013"
    assert "'nowhere'" in error.msg


@pytest.mark.django_db  # Django asks the database what it can do
def test_the_check_is_registered(declare: Any) -> None:
    declare(nightly={"kind": "app.no_such_kind"})

    assert "forge_jobs.E010" in [message.id for message in run_checks()]


@pytest.mark.django_db
def test_settings_that_can_not_be_read_are_told_of_elsewhere(settings: Settings) -> None:
    settings.FORGE_JOBS = {"SCHEDULES": {"nightly": {"kind": "app.noop"}}}

    assert check_schedules(None) == []
    assert "forge_jobs.E001" in [message.id for message in run_checks()]
