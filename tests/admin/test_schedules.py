"""The tab of schedules: what it says, who may do what, and what that changes."""

import json
from datetime import date, timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse

from forge_jobs import job, register
from forge_jobs.clock import ManualClock
from forge_jobs.conf.schedules import schedule as declare
from forge_jobs.handlers import Command
from forge_jobs.models import Job, Schedule
from tests.admin.people import LIVE, SHUT_OUT, answers, browser, filled, operator, text
from tests.conftest import NOON
from tests.planned import MINUTE, planned_schedule

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

LIST = reverse("admin:forge_jobs_schedule_changelist")
ADD = reverse("admin:forge_jobs_schedule_add")
PREVIEW = reverse("admin:forge_jobs_schedule_preview")
NASTY = "<script>alert(1)</script>"
BUTTONS = ["trigger_schedule", "enable_schedule", "disable_schedule"]


def button(name: str, row: Schedule) -> str:
    return reverse(f"admin:forge_jobs_{name}", args=[row.pk])


def view(name: str, row: Schedule) -> str:
    return reverse(f"admin:forge_jobs_schedule_{name}", args=[row.pk])


def shown() -> Any:
    (line,) = operator().get(LIST).context["lines"]
    return line


def test_a_line_says_what_the_database_says() -> None:
    row = planned_schedule(
        expression="0 3 * * *",
        timezone="Europe/Berlin",
        next_fire_at=NOON + timedelta(seconds=90),
        last_fired_at=NOON - timedelta(hours=2),
        last_error="it broke",
        skipped=2,
        last_skipped_at=NOON - timedelta(hours=1),
    )
    made = row.trigger()
    page = text(operator().get(LIST))

    assert made
    for said in (
        "At 03:00",
        "0 3 * * *",
        "Europe/Berlin",
        "in 1 min 30 s",
        "2 h 0 min ago",
        "it broke",
        "2 skips, the last ",
        "app.noop",
        "made by hand",
        f"#{made.pk}",
    ):
        assert said in page


@pytest.mark.parametrize(
    ("columns", "standing"),
    [
        ({}, "planned"),
        ({"next_fire_at": NOON - timedelta(seconds=15)}, "planned"),
        ({"next_fire_at": NOON - timedelta(seconds=16)}, "late"),
        ({"next_fire_at": None}, "new"),
        ({"next_fire_at": None, "is_over": True}, "over"),
        ({"next_fire_at": None, "is_enabled": False}, "disabled"),
    ],
)
def test_each_schedule_tells_how_it_stands(columns: dict[str, Any], standing: str) -> None:
    planned_schedule(**columns)

    assert shown().standing == standing


def test_an_expression_that_can_not_be_read_does_no_harm_to_the_page() -> None:
    planned_schedule(expression="nonsense", timezone="Nowhere/At_all")

    assert "It can&#x27;t be read." in text(operator().get(LIST))


def test_without_schedules_one_is_told_how_to_make_one() -> None:
    assert "There are no schedules." in text(operator().get(LIST))


def listed(client: Client, query: str) -> list[str]:
    context = client.get(f"{LIST}?{query}").context
    return [line.row.name for line in context["lines"]]


def test_a_page_has_fifty_of_them_and_the_way_to_the_others() -> None:
    client = operator()
    names = [planned_schedule(name=f"schedule {number:03}").name for number in range(120)]

    assert listed(client, "") == names[:50]
    assert listed(client, "p=2") == names[50:100]
    assert listed(client, "p=3") == listed(client, "p=99") == names[100:]
    assert listed(client, "p=nonsense") == names[:50]
    page = text(client.get(f"{LIST}?p=2"))
    assert "?q=&amp;p=1" in page
    assert "?q=&amp;p=3" in page
    assert "120 in all" in page


def test_a_script_gets_the_page_that_is_shown_alone() -> None:
    for number in range(60):
        planned_schedule(name=f"schedule {number:03}")
    html = operator().get(f"{LIST}?p=2", headers=LIVE).json()["html"]

    assert html.count("<tr data-key") == 10


def test_schedules_are_found_by_name_kind_and_expression() -> None:
    client = operator()
    planned_schedule(name="Nightly report")
    planned_schedule(name="other", kind="shop.report")
    planned_schedule(name="third", expression="17 4 * * *")

    assert listed(client, "q=REPORT") == ["Nightly report", "other"]
    assert listed(client, "q=17+4") == ["third"]
    assert listed(client, "q=%00third") == ["third"]
    assert listed(client, "q=nothing") == []
    assert "No schedule fits." in text(client.get(f"{LIST}?q=nothing"))


def test_what_is_stored_is_shown_as_text() -> None:
    row = planned_schedule(
        name=NASTY,
        kind=NASTY,
        expression=NASTY,
        timezone=NASTY,
        last_error=NASTY,
        payload={"x": NASTY},
    )
    client = operator()
    for path in (LIST, view("change", row), view("delete", row), button("trigger_schedule", row)):
        page = text(client.get(path))
        assert NASTY not in page
        assert "&lt;script&gt;" in page


def test_a_script_gets_the_live_part_alone() -> None:
    html = operator().get(LIST, headers=LIVE).json()["html"]

    assert html.lstrip().startswith('<div data-live="schedules"')


@pytest.mark.parametrize("name", BUTTONS)
def test_who_may_press_a_button(name: str) -> None:
    row = planned_schedule()

    assert answers(button(name, row), viewing="view_schedule", needed="trigger_schedule") == (
        SHUT_OUT | {"viewer": (403, 403), "operator": (200, 302)}
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("add", {"viewer": (403, 403), "operator": (200, 200)}),
        ("change", {"viewer": (200, 403), "operator": (200, 200)}),
        ("delete", {"viewer": (403, 403), "operator": (200, 200)}),
    ],
)
def test_who_may_use_a_form(name: str, expected: dict[str, tuple[int, int]]) -> None:
    path = ADD if name == "add" else view(name, planned_schedule())

    assert answers(path, viewing="view_schedule", needed=f"{name}_schedule") == SHUT_OUT | expected


def test_who_may_see_a_preview() -> None:
    assert answers(PREVIEW, viewing="view_schedule", needed="add_schedule") == {
        "anonymous": (302, 302),
        "plain": (302, 302),
        "staff": (403, 405),
        "viewer": (200, 405),
        "operator": (200, 405),
    }


def test_a_viewer_sees_no_button() -> None:
    planned_schedule()
    page = text(browser("view_schedule").get(LIST))

    assert "mc-buttons" not in page
    assert ADD not in page


def test_a_preview_explains_an_expression_in_its_zone() -> None:
    asked = {"expression": "0 3 * * *", "timezone": "Europe/Berlin"}
    told = operator().get(PREVIEW, asked).json()

    assert (told["words"], told["timezone"]) == ("At 03:00", "Europe/Berlin")
    assert told["next"][0]["at"] == "2026-03-03T03:00:00+01:00"


def test_a_preview_says_what_is_wrong() -> None:
    told = operator().get(PREVIEW, {"expression": "61 * * * *"}).json()

    assert told["field"] == "minute"
    assert told["error"]


def test_asking_changes_nothing() -> None:
    row = planned_schedule()
    client = operator()
    before = Schedule.objects.values().get()
    paths = [*(button(name, row) for name in BUTTONS), view("change", row), view("delete", row)]
    for path in [*paths, ADD, PREVIEW]:
        assert client.get(path).status_code == 200

    assert Schedule.objects.values().get() == before
    assert not Job.objects.exists()
    assert not LogEntry.objects.exists()


def test_a_schedule_is_disabled_and_enabled() -> None:
    row = planned_schedule()
    client = operator()
    client.post(button("disable_schedule", row))
    row.refresh_from_db()
    assert (row.is_enabled, row.next_fire_at) == (False, None)
    client.post(button("enable_schedule", row))
    row.refresh_from_db()

    assert row.is_enabled
    assert list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True)) == [
        "Schedule every minute is disabled.",
        "Schedule every minute is enabled.",
    ]


def test_a_trigger_makes_a_job_and_leaves_the_plan_alone() -> None:
    row = planned_schedule()
    operator().post(button("trigger_schedule", row))
    made = Job.objects.get()
    row.refresh_from_db()

    assert (made.kind, made.schedule, made.context["by"]) == ("app.noop", row, "ada")
    assert row.next_fire_at == NOON + MINUTE
    assert LogEntry.objects.get().change_message == f"The job {made} was made."


def test_a_trigger_that_makes_no_job_says_why() -> None:
    row = planned_schedule()
    row.trigger()
    gone = planned_schedule(name="gone", kind="app.unknown")
    client = operator()
    first = text(client.post(button("trigger_schedule", row), {"back": LIST}, follow=True))
    second = text(client.post(button("trigger_schedule", gone), {"back": LIST}, follow=True))

    assert "Its last job is unfinished, and its overlap is skip: make no job." in first
    assert "app.unknown" in second
    assert Job.objects.count() == 1
    assert not LogEntry.objects.exists()


NEW = {
    "name": "tidy",
    "kind": "app.noop",
    "payload": "{}",
    "expression": "*/5 * * * *",
    "is_enabled": "on",
    "overlap": "skip",
    "catch_up": "once",
    "jitter_seconds": "1m",
}


def test_a_new_schedule_begins_without_arguments() -> None:
    assert operator().get(ADD).context["adminform"].form["payload"].value() == "{}"


def test_a_schedule_is_added() -> None:
    assert operator().post(ADD, NEW).status_code == 302
    row = Schedule.objects.get()

    assert (row.name, row.kind, row.expression) == ("tidy", "app.noop", "*/5 * * * *")
    assert (row.payload, row.jitter_seconds, row.source) == ({}, 60, "operator")


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("kind", "app.unknown", "No handler has the kind app.unknown."),
        ("payload", '{"surprise": 1}', "'surprise' is unexpected"),
        ("payload", "[1]", "It must be an object of keyword arguments."),
        ("payload", "{", "Enter a valid JSON."),
        ("expression", "61 * * * *", "This is no cron expression: minute"),
        ("expression", "10s", "it has 1 field; it takes 5, or 6 with seconds first, and"),
        ("expression", "", "This field is required."),
        ("timezone", "Nowhere/At_all", "There is no time zone"),
        ("queue", "nowhere", "There is no queue nowhere."),
        ("jitter_seconds", "soon", "is no duration"),
        ("priority", "101", "less than or equal to 100"),
        ("name", "every minute", "already exists"),
    ],
)
def test_what_could_make_no_job_is_refused_beside_its_field(
    field: str, value: str, message: str
) -> None:
    planned_schedule()
    response = operator().post(ADD, NEW | {field: value})

    assert message in response.context["adminform"].form.errors[field][0]
    assert Schedule.objects.count() == 1


def test_a_payload_is_checked_by_the_annotations_of_a_handler_that_validates() -> None:
    @job(kind="tests.keep", validate=True)
    def keep(day: date) -> None: ...

    client = operator()
    bad = client.post(ADD, NEW | {"kind": "tests.keep", "payload": '{"day": "soon"}'})
    good = client.post(ADD, NEW | {"kind": "tests.keep", "payload": '{"day": "2026-03-02"}'})

    assert "at day, invalid" in bad.context["adminform"].form.errors["payload"][0]
    assert good.status_code == 302
    assert Schedule.objects.get().payload == {"day": "2026-03-02"}


def test_nobody_plans_a_command_here_unless_its_kind_is_open_to_others() -> None:
    for kind, is_open in [("tests.closed", False), ("tests.open", True)]:
        register(Command(kind, allow=["cat", "env"], open_to_others=is_open))
    client, command = operator(), {"payload": '{"argv": ["env"]}'}
    row = planned_schedule(kind="tests.closed", payload={"argv": ["cat"]})
    page = view("change", row)

    closed = client.post(ADD, NEW | command | {"kind": "tests.closed"})
    given_another = client.post(page, filled(client, page, **command))
    put_off = client.post(page, filled(client, page, expression="5 0 * * *"))
    opened = client.post(ADD, NEW | command | {"kind": "tests.open"})
    shown = {"initial-kind": "tests.closed", "initial-payload": command["payload"]}
    as_if_shown = client.post(ADD, NEW | command | {"kind": "tests.closed"} | shown)
    of_open = filled(client, page, **command) | {"kind": "tests.open", "initial-kind": "tests.open"}
    as_if_open = client.post(page, of_open)

    for refused in (closed, given_another, as_if_shown, as_if_open):
        (told,) = refused.context["adminform"].form.errors["kind"]
        assert told.startswith("tests.closed is not open to others")
    assert (put_off.status_code, opened.status_code) == (302, 302)
    row.refresh_from_db()
    assert (row.payload, row.expression) == ({"argv": ["cat"]}, "5 0 * * *")


def test_a_changed_expression_is_planned_anew() -> None:
    row = planned_schedule()
    client = operator()
    client.post(view("change", row), filled(client, view("change", row), expression="0 3 * * *"))
    row.refresh_from_db()

    assert (row.expression, row.next_fire_at) == ("0 3 * * *", None)


def test_only_what_was_changed_is_written(manual_clock: ManualClock) -> None:
    row = planned_schedule(payload={"number": 1}, kind="app.effect")
    client = operator()
    form = filled(
        client, view("change", row), priority="5", payload=json.dumps({"number": 1}, indent=2)
    )
    others = {"next_fire_at": NOON + 2 * MINUTE, "last_fired_at": NOON, "timezone": "Asia/Tokyo"}
    Schedule.objects.update(**others)
    response = client.post(view("change", row), form)
    row.refresh_from_db()

    assert response.status_code == 302
    assert row.priority == 5
    assert {name: getattr(row, name) for name in others} == others


def test_one_that_code_declares_keeps_its_name_and_says_what_becomes_of_edits() -> None:
    row = planned_schedule(source="code")
    client = operator()
    page = text(client.get(view("change", row)))
    client.post(view("change", row), filled(client, view("change", row), name="other"))
    row.refresh_from_db()

    assert "What you change here stays until the code declares" in page
    assert row.name == "every minute"


def test_one_that_code_declares_is_not_deleted() -> None:
    @job(kind="tests.subject", schedules=[declare("* * * * *", name="every minute")])
    def subject() -> None:
        pass

    row = planned_schedule(source="code")
    client = operator()
    page = text(client.post(view("delete", row), {"post": "yes"}))

    assert "code declares every minute; disable it instead" in page
    assert view("delete", row) not in text(client.get(view("change", row)))
    assert Schedule.objects.exists()


def test_one_that_nobody_declares_any_more_is_deleted() -> None:
    row = planned_schedule(source="code")
    assert view("delete", row) in text(operator("bea").get(view("change", row)))
    operator().post(view("delete", row), {"post": "yes"})

    assert not Schedule.objects.exists()
