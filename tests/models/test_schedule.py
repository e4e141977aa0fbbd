"""Schedule rows: what edits do to their plan, what declarations do to edits, what is refused."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.connection import ConnectionDoesNotExist

from forge_jobs.conf.policies import Source
from forge_jobs.conf.schedules import schedule
from forge_jobs.models import RateLimitBudget, Schedule
from tests.conftest import NOON
from tests.planned import MINUTE, planned_schedule

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def stored() -> Schedule:
    row: Schedule = Schedule.objects.get()
    return row


def sow(cron: str = "0 3 * * *", **options: Any) -> Schedule:
    declared = schedule(cron, name="nightly", **options).of("app.noop")
    Schedule.objects.sow({"nightly": declared.columns()})
    return stored()


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("expression", "0 * * * *"),
        ("timezone", "Europe/Berlin"),
        ("is_enabled", False),
        ("starts_at", NOON + DAY),
        ("ends_at", NOON + DAY),
    ],
)
def test_a_change_of_what_it_was_planned_by_makes_the_plan_void(column: str, value: Any) -> None:
    row = planned_schedule(last_error="It was unreadable.", is_over=True)
    setattr(row, column, value)
    row.save()

    assert (row.next_fire_at, stored().next_fire_at) == (None, None)
    assert (stored().last_error, stored().is_over) == ("", False)


def test_other_changes_leave_the_plan_alone() -> None:
    row = planned_schedule()
    row.queue, row.priority, row.payload = "other", 7, {"a": 1}
    row.save()

    assert stored().next_fire_at == NOON + MINUTE
    assert (stored().queue, stored().priority, stored().payload) == ("other", 7, {"a": 1})


def test_an_edit_does_not_undo_what_the_scheduler_wrote_meanwhile() -> None:
    row = planned_schedule()
    Schedule.objects.update(next_fire_at=NOON + 2 * MINUTE, last_fired_at=NOON + MINUTE, skipped=3)
    row.queue = "other"
    row.save()

    assert stored().next_fire_at == NOON + 2 * MINUTE
    assert (stored().last_fired_at, stored().skipped) == (NOON + MINUTE, 3)
    assert stored().queue == "other"


def test_a_save_of_one_column_makes_the_plan_void_all_the_same() -> None:
    row = planned_schedule()
    row.expression = "0 * * * *"
    row.save(update_fields=["expression"])

    assert (stored().expression, stored().next_fire_at) == ("0 * * * *", None)


def test_a_save_of_the_scheduler_s_columns_alone_is_just_that() -> None:
    row = planned_schedule()
    row.expression, row.skipped = "0 * * * *", 5
    row.save(update_fields=["skipped"])

    assert (stored().skipped, stored().next_fire_at) == (5, NOON + MINUTE)


def test_a_new_schedule_goes_to_the_job_database(settings: Any) -> None:
    settings.FORGE_JOBS = {"DATABASE": "jobs"}

    with pytest.raises(ConnectionDoesNotExist, match="jobs"):
        Schedule(name="a", kind="app.noop", expression="* * * * *").save()


def test_so_does_what_else_an_operator_can_add(settings: Any) -> None:
    settings.FORGE_JOBS = {"DATABASE": "jobs"}

    with pytest.raises(ConnectionDoesNotExist, match="jobs"):
        RateLimitBudget(name="a", capacity=1, refill_per_second=1, tokens=1).save()


def test_enabling_and_disabling_say_whether_they_changed_anything() -> None:
    row = planned_schedule()

    assert [row.enable(), row.disable(), row.disable()] == [False, True, False]
    assert (row.is_enabled, row.next_fire_at) == (False, None)
    assert row.enable()
    assert (row.is_enabled, stored().is_enabled) == (True, True)


def test_only_what_is_enabled_and_planned_is_due() -> None:
    due = planned_schedule(name="due")
    planned_schedule(name="later", next_fire_at=NOON + 2 * MINUTE)
    planned_schedule(name="disabled", is_enabled=False)
    unplanned = planned_schedule(name="new", next_fire_at=None)
    planned_schedule(name="over", next_fire_at=None, is_over=True)

    assert list(Schedule.objects.due(now=NOON + MINUTE)) == [due]
    assert list(Schedule.objects.unplanned()) == [unplanned]


def test_one_of_two_moves_a_due_schedule_on() -> None:
    ours, theirs = planned_schedule(), stored()

    assert Schedule.objects.move(ours, NOON + 2 * MINUTE, now=NOON)
    assert not Schedule.objects.move(theirs, NOON + 2 * MINUTE, now=NOON)
    assert stored().next_fire_at == NOON + 2 * MINUTE


def test_a_schedule_that_was_edited_meanwhile_is_not_moved_on() -> None:
    seen = planned_schedule()
    Schedule.objects.update(expression="0 * * * *")

    assert not Schedule.objects.move(seen, NOON + 2 * MINUTE, now=NOON)


def test_it_is_due_from_its_start_to_its_end() -> None:
    row = planned_schedule(starts_at=NOON + 3 * MINUTE, ends_at=NOON + 4 * MINUTE)

    assert row.due_after(NOON) == NOON + 3 * MINUTE
    assert row.due_after(NOON + 3 * MINUTE) == NOON + 4 * MINUTE
    assert row.due_after(NOON + 4 * MINUTE) is None


def test_without_a_zone_of_its_own_it_has_the_project_s(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Kathmandu"
    row = planned_schedule(timezone="", expression="0 0 * * *")

    assert row.due_after(NOON) == datetime(2026, 3, 2, 18, 15, tzinfo=UTC)


def test_a_declared_schedule_gets_a_row_that_is_the_code_s() -> None:
    row = sow(queue="other")

    assert (row.expression, row.queue, row.source) == ("0 3 * * *", "other", Source.CODE)
    assert (row.is_enabled, row.next_fire_at) == (True, None)


@pytest.mark.parametrize(
    "edit", [{"expression": "0 5 * * *"}, {"timezone": "UTC"}, {"is_enabled": False}]
)
def test_an_operator_s_edit_is_kept_when_processes_start_again(edit: dict[str, Any]) -> None:
    sow()
    Schedule.objects.update(**edit, next_fire_at=NOON)
    row = sow()

    assert {name: getattr(row, name) for name in edit} == edit
    assert row.next_fire_at == NOON


def test_an_operator_s_edit_is_given_up_when_the_code_s_own_value_changes() -> None:
    sow()
    Schedule.objects.update(expression="0 5 * * *", queue="other", next_fire_at=NOON)
    row = sow("0 4 * * *")

    assert (row.expression, row.queue, row.next_fire_at) == ("0 4 * * *", "other", None)


def test_a_declaration_with_moments_is_compared_as_what_it_says() -> None:
    sow(starts_at=NOON, payload={"sizes": (1, 2)})
    Schedule.objects.update(starts_at=None, payload={})
    row = sow(starts_at=NOON, payload={"sizes": (1, 2)})

    assert (row.starts_at, row.payload) == (None, {})
    assert sow(starts_at=NOON + DAY).starts_at == NOON + DAY


def test_a_schedule_that_vanished_from_code_is_disabled_and_comes_back_with_it() -> None:
    sow()
    assert Schedule.objects.abandon(declared=[]) == 1
    assert not stored().is_enabled
    assert Schedule.objects.abandon(declared=[]) == 0

    assert sow().is_enabled


def test_a_vanished_schedule_that_an_operator_enabled_again_stays_enabled() -> None:
    sow()
    Schedule.objects.abandon(declared=[])
    stored().enable()

    assert Schedule.objects.abandon(declared=[]) == 0
    assert stored().is_enabled


def test_an_operator_s_schedules_are_none_of_the_code_s_business() -> None:
    planned_schedule()

    assert Schedule.objects.abandon(declared=[]) == 0
    assert stored().source == Source.OPERATOR


@pytest.mark.parametrize(
    ("field", "columns"),
    [
        ("kind", {"kind": "app.no_such_kind"}),
        ("payload", {"payload": {"number": 1}}),
        ("payload", {"payload": [1]}),
        ("queue", {"queue": "nowhere"}),
        ("priority", {"priority": 101}),
        ("expression", {"expression": "61 * * * *"}),
        ("timezone", {"timezone": "Mars/Olympus"}),
        ("timezone", {"timezone": "Europe"}),
        ("timezone", {"timezone": "../etc/passwd"}),
        ("jitter_seconds", {"jitter_seconds": -1}),
        ("max_attempts", {"max_attempts": 0}),
        ("overlap", {"overlap": "whatever"}),
        ("ends_at", {"starts_at": NOON, "ends_at": NOON - DAY}),
        ("name", {"name": ""}),
    ],
    ids=repr,
)
def test_what_could_never_work_is_refused_by_its_column(
    field: str, columns: dict[str, Any]
) -> None:
    usual = {"name": "a", "kind": "app.noop", "expression": "* * * * *"}
    with pytest.raises(ValidationError) as refusal:
        Schedule(**usual | columns).full_clean()

    assert [*refusal.value.message_dict] == [field]


@pytest.mark.parametrize(
    "columns",
    [
        {"overlap": "whatever"},
        {"catch_up": "whatever"},
        {"source": "whatever"},
        {"jitter_seconds": -1},
        {"priority": 101},
        {"max_attempts": 0},
        {"starts_at": NOON, "ends_at": NOON - DAY},
    ],
    ids=repr,
)
def test_the_database_refuses_what_could_not_be(columns: dict[str, Any]) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        planned_schedule(**columns)


@pytest.mark.parametrize("value", [float("nan"), "a\0"], ids=ascii)
def test_a_payload_that_can_not_be_stored_is_refused(value: object) -> None:
    row = Schedule(name="x", kind="app.effect", payload={"number": value}, expression="@daily")

    with pytest.raises(ValidationError) as refusal:
        row.full_clean()
    assert "payload.number" in str(refusal.value.message_dict["payload"])
