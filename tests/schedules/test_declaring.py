"""Declaring schedules, at handlers and in settings, and what is refused where it is written."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ImproperlyConfigured

from forge_jobs import InvalidSchedule, JobHandler, job, register, schedule
from forge_jobs.conf import Settings
from forge_jobs.conf.policies import CatchUp, Overlap
from forge_jobs.exceptions import InvalidHandler
from forge_jobs.schedules import timetable
from tests.conftest import NOON

HOUR = timedelta(hours=1)


def test_without_options_it_skips_overlaps_and_catches_up_once() -> None:
    declared = schedule("*/5 * * * *")

    assert (declared.expression, declared.timezone, declared.name) == ("*/5 * * * *", "", None)
    assert (declared.overlap, declared.catch_up) == (Overlap.SKIP, CatchUp.ONCE)
    assert declared.is_enabled


def test_an_interval_becomes_an_expression() -> None:
    assert schedule(every=1.5 * HOUR).expression == "@every 1h30m"


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("cron", {}),
        ("cron", {"cron": "* * * * *", "every": HOUR}),
        ("cron", {"cron": "61 * * * *"}),
        ("cron", {"cron": ""}),
        ("cron", {"cron": 5}),
        ("every", {"every": timedelta(0)}),
        ("every", {"every": 30}),
        *[("name", {"name": name}) for name in ("", "x" * 201, 5, "a\0")],
        *[("timezone", {"timezone": zone}) for zone in ("Mars/Olympus", "", 5, "Europe")],
        *[("payload", {"payload": payload}) for payload in ([1], {"a": {1}}, "a", {1: 2})],
        *[("queue", {"queue": queue}) for queue in ("", 5)],
        *[("priority", {"priority": priority}) for priority in (101, "high", True)],
        *[("max_attempts", {"max_attempts": limit}) for limit in (0, "3")],
        *[("overlap", {"overlap": policy}) for policy in ("run", "", None)],
        *[("catch_up", {"catch_up": policy}) for policy in ("twice", None)],
        *[("jitter", {"jitter": jitter}) for jitter in (-1, "1m", None)],
        *[("starts_at", {"starts_at": moment}) for moment in (datetime(2026, 1, 1), "now")],  # noqa: DTZ001 - naive, to be refused
        ("ends_at", {"starts_at": NOON, "ends_at": NOON - HOUR}),
        ("enabled", {"enabled": "yes"}),
    ],
    ids=repr,
)
def test_what_can_not_be_is_refused_by_its_name(field: str, options: dict[str, Any]) -> None:
    usual = {"cron": "* * * * *"} if field not in ("cron", "every") else {}
    with pytest.raises(InvalidSchedule) as refusal:
        schedule(**usual | options)

    assert refusal.value.field == field
    assert field in str(refusal.value)


def test_a_bad_expression_says_which_of_its_fields_and_why() -> None:
    with pytest.raises(InvalidSchedule, match=r"minute: '61' can't be; it takes 0 to 59"):
        schedule("61 * * * *")


def test_moments_are_kept_in_utc_and_payloads_as_json() -> None:
    berlin = NOON.astimezone(ZoneInfo("Europe/Berlin"))
    declared = schedule("* * * * *", starts_at=berlin, payload={"sizes": (1, 2)})

    assert declared.starts_at == NOON
    assert declared.starts_at.tzinfo is UTC
    assert declared.payload == {"sizes": [1, 2]}


def test_a_handler_s_only_schedule_is_called_by_its_kind() -> None:
    @job(kind="mail.digest", cron="0 7 * * *", timezone="Europe/Berlin")
    def digest() -> None: ...

    (declared,) = digest.declared_schedules()
    assert (declared.name, declared.kind) == ("mail.digest", "mail.digest")
    assert (declared.expression, declared.timezone) == ("0 7 * * *", "Europe/Berlin")
    assert timetable.declared()["mail.digest"] == declared


def test_a_handler_may_have_an_interval_or_several_schedules() -> None:
    @job(kind="mail.poll", every=timedelta(seconds=30))
    def poll() -> None: ...

    @job(
        kind="mail.report", schedules=[schedule("@daily", name="a"), schedule("@weekly", name="b")]
    )
    def report() -> None: ...

    assert [one.expression for one in poll.declared_schedules()] == ["@every 30s"]
    assert [one.name for one in report.declared_schedules()] == ["a", "b"]
    assert {one.kind for one in report.declared_schedules()} == {"mail.report"}


def test_a_class_declares_schedules_by_attributes() -> None:
    class Nightly(JobHandler):
        cron = "0 3 * * *"
        timezone = "Asia/Kathmandu"

        def __init__(self, kind: str) -> None:
            self.kind = kind

    for kind in ("backup.files", "backup.mails"):
        register(Nightly(kind))

    assert {"backup.files", "backup.mails"} <= timetable.declared().keys()


@pytest.mark.parametrize(
    ("field", "options"),
    [
        ("cron", {"cron": "61 * * * *"}),
        ("every", {"every": 0.5 * timedelta(seconds=1)}),
        ("timezone", {"timezone": "Europe/Berlin"}),
        ("timezone", {"cron": "* * * * *", "timezone": "Nowhere"}),
        ("schedules", {"cron": "* * * * *", "schedules": [schedule("@daily")]}),
        ("schedules", {"schedules": ["@daily"]}),
        ("name", {"schedules": [schedule("@daily"), schedule("@weekly")]}),
    ],
)
def test_a_handler_with_a_bad_schedule_is_refused(field: str, options: dict[str, Any]) -> None:
    with pytest.raises(InvalidSchedule) as refusal:

        @job(kind="mail.digest", **options)
        def digest() -> None: ...

    assert refusal.value.field == field


def test_a_resident_handler_has_no_schedules() -> None:
    with pytest.raises(InvalidHandler, match="resident"):

        @job(kind="mail.poll", resident=True, every=HOUR)
        def poll() -> None: ...


def test_settings_declare_schedules_by_name() -> None:
    read = Settings.read(
        {"SCHEDULES": {"nightly": {"kind": "app.noop", "cron": "0 3 * * *", "jitter": 60}}}
    )

    declared = read.schedules["nightly"]
    assert (declared.name, declared.kind, declared.jitter_seconds) == ("nightly", "app.noop", 60)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (None, "dictionary"),
        ({"cron": "* * * * *"}, "kind"),
        ({"kind": "app.noop"}, "cron"),
        ({"kind": "app.noop", "cron": "61 * * * *"}, "minute"),
        ({"kind": "app.noop", "cron": "* * * * *", "timezone": "Nowhere"}, "timezone"),
        ({"kind": "app.noop", "crom": "* * * * *"}, "Did you mean 'cron'"),
        ({"kind": "app.noop", "cron": "* * * * *", "name": "other"}, "no option 'name'"),
    ],
)
def test_settings_with_a_bad_schedule_are_refused_by_its_name(options: Any, said: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=rf'SCHEDULES"\]\["nightly"\].*{said}'):
        Settings.read({"SCHEDULES": {"nightly": options}})


@pytest.mark.parametrize("given", [None, [], "nightly"])
def test_schedules_that_are_no_dictionary_are_refused(given: object) -> None:
    with pytest.raises(ImproperlyConfigured, match=r'FORGE_JOBS\["SCHEDULES"\]'):
        Settings.read({"SCHEDULES": given})
