"""The tab of processes: what it says, who may do what, and what that asks of a process."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from forge_jobs.models import Lease, Process, ProcessGauge, State
from forge_jobs.models.lease import SERVICES
from tests.admin.people import LIVE, SHUT_OUT, answers, browser, operator, text
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

LIST = reverse("admin:forge_jobs_process_changelist")
NASTY = "<script>alert(1)</script>"
BUTTONS = ["quiet_process", "unquiet_process", "stop_process"]


def process(name: str = "p1", **columns: Any) -> Process:
    return process_named(name, **{"queues": ["default"], "threads": 4} | columns)


def button(name: str, row: Process) -> str:
    return reverse(f"admin:forge_jobs_{name}", args=[row.pk])


def shown(name: str = "p1") -> Any:
    fleet = operator().get(LIST).context["fleet"]
    return next(card for card in fleet.cards if card.row.name == name)


def test_a_card_says_what_the_database_says() -> None:
    row = process(host="web-1", pid=4711, version="1.2", running=2, rss_bytes=58 * 2**20)
    Lease.objects.create(name=SERVICES, process=row, expires_at=NOON + timedelta(seconds=9))
    claimed = [
        stored_job(state=State.RUNNING, process=row, started_at=NOON + timedelta(seconds=n))
        for n in range(7)
    ]
    page = text(operator().get(LIST))

    for said in ("pid 4711", "2 of 4 at once", "58 MiB", "forge_jobs 1.2", "leader", "default"):
        assert said in page
    for one in claimed[:5]:
        assert f"app.noop #{one.pk}" in page
    assert f"app.noop #{claimed[5].pk}" not in page
    assert "and 2 more that it has claimed" in page


@pytest.mark.parametrize(
    ("silence", "pulse"),
    [(10, "live"), (11, "late"), (30, "late"), (31, "silent"), (-30, "live"), (-3540, "silent")],
)
def test_a_heartbeat_that_is_missed_is_told(silence: float, pulse: str) -> None:
    process(heartbeat_at=NOON - timedelta(seconds=silence))

    assert shown().pulse == pulse


def test_the_newest_measurement_of_its_load_is_told() -> None:
    process(rss_bytes=2**20)
    usual = {"span_seconds": 5, "host": "tests", "process_name": "p1", "threads": 4, "busy": 0}
    for seconds, percent in ((5, 73.4), (10, 12.0), (31, 99.0)):
        ProcessGauge.objects.create(
            at=NOON - timedelta(seconds=seconds),
            cpu_percent=percent,
            rss_bytes=1,
            database_seconds=0.001,
            connections=1,
            **usual,
        )

    assert shown().cpu_percent == 73.4
    assert "1.0 MiB, 73 % CPU" in text(operator("bea").get(LIST))


def test_each_process_has_its_own_jobs() -> None:
    first, second = process("p1"), process("p2")
    stored_job(state=State.RUNNING, process=first, started_at=NOON)
    mine = stored_job(state=State.RUNNING, process=second, started_at=NOON)
    stored_job()

    assert shown("p2").jobs == [mine]
    assert shown_again("p1").claimed == 1


def shown_again(name: str) -> Any:
    fleet = operator("bea").get(LIST).context["fleet"]
    return next(card for card in fleet.cards if card.row.name == name)


def test_what_nobody_serves_is_told_in_a_banner() -> None:
    process(kinds=["app.noop"])
    stored_job(kind="app.unknown")
    stored_job(queue="images")
    page = text(operator().get(LIST))

    assert "No live process of queue default knows the kind app.unknown." in page
    assert "No live process serves queue images." in page


def test_without_any_process_one_is_told_how_to_start_one() -> None:
    assert "manage.py runjobs" in text(operator().get(LIST))


def test_what_is_stored_is_shown_as_text() -> None:
    row = process(NASTY, host=NASTY, version=NASTY, queues=[NASTY], kinds=[NASTY], trouble=NASTY)
    row.requested_state, row.requested_by = "quiet", NASTY
    row.save()
    stored_job(state=State.RUNNING, process=row, kind=NASTY, started_at=NOON)
    client = operator()
    for path in (LIST, reverse("admin:forge_jobs_process_change", args=[row.pk])):
        page = text(client.get(path))
        assert NASTY not in page
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert NASTY not in text(client.get(button("stop_process", row)))


def test_a_script_gets_the_live_parts_alone() -> None:
    process()
    html = operator().get(LIST, headers=LIVE).json()["html"]

    assert 'data-live="troubles"' in html
    assert 'data-live="processes"' in html
    assert "<body" not in html


@pytest.mark.parametrize("name", BUTTONS)
def test_who_may_press_a_button(name: str) -> None:
    row = process()

    assert answers(button(name, row), viewing="view_process", needed="stop_process") == (
        SHUT_OUT | {"viewer": (403, 403), "operator": (200, 302)}
    )


def test_who_may_see_a_process() -> None:
    path = reverse("admin:forge_jobs_process_change", args=[process().pk])

    assert answers(path, viewing="view_process", needed="change_process") == (
        SHUT_OUT | {"viewer": (200, 403), "operator": (200, 403)}
    )


def test_a_viewer_sees_no_button_and_no_link_to_jobs() -> None:
    row = process()
    stored_job(state=State.RUNNING, process=row, started_at=NOON)
    page = text(browser("view_process").get(LIST))

    assert "mc-buttons" not in page
    assert "/job/" not in page


@pytest.mark.parametrize("view", ["add", "delete"])
def test_nobody_adds_or_deletes_a_process_by_hand(view: str) -> None:
    args = [process().pk] if view == "delete" else []

    assert operator().get(reverse(f"admin:forge_jobs_process_{view}", args=args)).status_code == 403


def test_asking_changes_nothing() -> None:
    row = process()
    client = operator()
    before = Process.objects.values().get()
    for name in BUTTONS:
        client.get(button(name, row))

    assert Process.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_what_was_asked_of_a_process_is_stored_shown_and_logged() -> None:
    row = process()
    client = operator()
    for name, state in (
        ("quiet_process", "quiet"),
        ("unquiet_process", "running"),
        ("stop_process", "stopping"),
    ):
        client.post(button(name, row))
        row.refresh_from_db()
        assert (row.requested_state, row.requested_by) == (state, "ada")

    assert "It was asked by ada to be stopping." in text(client.get(LIST))
    assert list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True)) == [
        "Process p1 was asked to be quiet.",
        "Process p1 may claim jobs again.",
        "Process p1 was asked to stop.",
    ]


def test_a_process_that_was_asked_to_stop_is_not_asked_again() -> None:
    row = process(requested_state="stopping", requested_by="bea")
    client = operator()
    for name in BUTTONS:
        client.post(button(name, row))
    row.refresh_from_db()

    assert row.requested_by == "bea"
    assert not LogEntry.objects.exists()
    assert button("stop_process", row) not in text(client.get(LIST))
