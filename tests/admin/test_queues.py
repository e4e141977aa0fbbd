"""The tab of queues: what it says, who may do what, and what that changes."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.urls import reverse

from forge_jobs import clock
from forge_jobs.clock import ManualClock
from forge_jobs.models import Process, Queue, RateLimitBudget, Share, State
from tests.admin.people import LIVE, SHUT_OUT, answers, browser, filled, operator, text
from tests.conftest import NOON
from tests.factories import process_named
from tests.rows import finished_job, stored_job

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("manual_clock")]

LIST = reverse("admin:forge_jobs_queue_changelist")
NASTY = "<script>alert(1)</script>"


def queue(name: str = "default", **columns: Any) -> Queue:
    row: Queue = Queue.objects.create(name=name, **columns)
    return row


def process(name: str = "p1", **columns: Any) -> Process:
    return process_named(name, **{"queues": ["default"], "threads": 4} | columns)


def button(name: str, row: Queue) -> str:
    return reverse(f"admin:forge_jobs_{name}", args=[row.pk])


def form_of(row: Queue) -> str:
    return reverse("admin:forge_jobs_queue_change", args=[row.pk])


def shown(**cards: Any) -> Any:
    """The card of the default queue."""
    response = operator().get(LIST)
    return next(card for card in response.context["cards"] if card.name == "default")


def test_a_card_says_what_the_database_says() -> None:
    row = queue(max_workers=8)
    serving = process()
    for _ in range(3):
        stored_job(run_at=NOON - timedelta(seconds=90))
    stored_job(state=State.RUNNING, process=serving, started_at=NOON)
    finished_job(State.DEAD)
    card = shown()

    assert card.counts[State.READY] == 3
    assert (card.busy, card.limit) == (1, 8)
    assert card.counts[State.DEAD] == 1
    assert card.lag == timedelta(seconds=90)
    assert (card.processes, card.threads) == (1, 4)
    assert card.mood == "running"
    page = text(operator("bea").get(LIST))
    assert "1 of 8" in page
    assert "1 min 30 s" in page
    assert "succeeded 7 days, dead and cancelled 30 days" in page
    assert form_of(row) in page
    assert "?queue=default&amp;state=ready" in page


def test_all_that_keeps_a_queue_from_running_is_told() -> None:
    queue(is_paused=True, throttled_until=NOON + timedelta(seconds=12))

    assert [mood for mood, _ in shown().moods] == ["paused", "cooling", "unserved"]
    page = text(operator("bea").get(LIST))
    assert "in 12 s</time>" in page
    assert 'data-until="12.000"' in page


@pytest.mark.parametrize(
    "columns",
    [{"state": "quiet"}, {"queues": ["other"]}, {"heartbeat_at": NOON - timedelta(seconds=31)}],
)
def test_a_process_that_does_not_claim_serves_nothing(columns: dict[str, Any]) -> None:
    queue()
    process(**columns)

    assert shown().mood == "unserved"


def test_a_budget_that_does_not_exist_is_told() -> None:
    queue(budget="gone")

    assert "does not exist: nothing is started" in text(operator().get(LIST))


def test_a_queue_without_a_row_has_a_card_without_buttons() -> None:
    stored_job(queue="nowhere")
    page = text(operator().get(LIST))

    assert "nowhere" in page
    assert "The settings do not declare it." in page


def test_what_is_stored_is_shown_as_text() -> None:
    queue(NASTY, budget=NASTY)
    stored_job(queue=NASTY)
    page = text(operator().get(LIST))

    assert NASTY not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page


def test_a_script_gets_the_live_part_alone() -> None:
    queue()
    response = operator().get(LIST, headers=LIVE)

    assert "no-store" in response["Cache-Control"]
    assert response.json()["html"].lstrip().startswith('<ul class="mc-cards" data-live="queues"')


def test_who_may_see_the_list() -> None:
    everybody = answers(LIST, viewing="view_queue", needed="change_queue")

    assert {who: codes[0] for who, codes in everybody.items()} == {
        "anonymous": 302,
        "plain": 302,
        "staff": 403,
        "viewer": 200,
        "operator": 200,
    }


@pytest.mark.parametrize("name", ["pause_queue", "resume_queue", "end_cooling"])
def test_who_may_press_a_button(name: str) -> None:
    row = queue()

    assert answers(button(name, row), viewing="view_queue", needed="pause_queue") == SHUT_OUT | {
        "viewer": (403, 403),
        "operator": (200, 302),
    }


def test_who_may_edit() -> None:
    row = queue()

    assert answers(form_of(row), viewing="view_queue", needed="change_queue") == SHUT_OUT | {
        "viewer": (200, 403),
        "operator": (200, 200),
    }


def test_a_viewer_sees_no_button() -> None:
    queue()
    page = text(browser("view_queue").get(LIST))

    assert "mc-buttons" not in page
    assert "/change/" not in page


def test_asking_changes_nothing() -> None:
    row = queue(throttled_until=NOON + timedelta(minutes=1))
    client = operator()
    before = Queue.objects.values().get()
    for name in ("pause_queue", "resume_queue", "end_cooling"):
        client.get(button(name, row))
    client.get(form_of(row))

    assert Queue.objects.values().get() == before
    assert not LogEntry.objects.exists()


def test_a_queue_is_paused_and_resumed_and_the_log_says_by_whom() -> None:
    row = queue()
    client = operator()
    assert client.post(button("pause_queue", row)).status_code == 302
    row.refresh_from_db()
    assert row.is_paused
    client.post(button("resume_queue", row))
    row.refresh_from_db()

    assert not row.is_paused
    entries = LogEntry.objects.order_by("pk").values_list("user__username", "change_message")
    assert list(entries) == [
        ("ada", "The queue default is paused."),
        ("ada", "The queue default is resumed."),
    ]


def test_a_queue_that_somebody_else_has_paused_is_not_paused_again() -> None:
    row = queue(is_paused=True)
    page = text(operator().post(button("pause_queue", row), {"back": LIST}, follow=True))

    assert "Nothing was changed" in page
    assert not LogEntry.objects.exists()


def test_a_cooling_is_ended_and_its_history_forgotten() -> None:
    row = queue(throttled_until=NOON + timedelta(minutes=1), throttle_attempts=4)
    operator().post(button("end_cooling", row))
    row.refresh_from_db()

    assert (row.throttled_until, row.throttle_attempts) == (None, 0)


def test_all_that_can_be_edited_is_stored() -> None:
    RateLimitBudget.objects.create(name="slack", capacity=1, refill_per_second=1, tokens=1)
    row = queue()
    client = operator()
    response = client.post(
        form_of(row),
        filled(
            client,
            form_of(row),
            max_workers="3",
            budget="slack",
            retries="",
            retry_base_seconds="90",
            retry_cap_seconds="2h",
            throttle_base_seconds="2.5s",
            throttle_cap_seconds="1d",
            retain_succeeded_seconds="0",
            retain_failed_seconds="",
        ),
    )

    assert response.status_code == 302
    row.refresh_from_db()
    assert (row.max_workers, row.budget, row.retries) == (3, "slack", False)
    assert (row.retry_base_seconds, row.retry_cap_seconds) == (90, 7200)
    assert (row.throttle_base_seconds, row.throttle_cap_seconds) == (2.5, 86400)
    assert (row.retain_succeeded_seconds, row.retain_failed_seconds) == (0, None)


def test_only_what_was_changed_is_written() -> None:
    row = queue()
    client = operator()
    form = filled(client, form_of(row), max_workers="3")
    others = {"throttled_until": NOON, "is_paused": True, "retain_failed_seconds": 60}
    Queue.objects.update(**others)
    client.post(form_of(row), form)
    row.refresh_from_db()

    assert row.max_workers == 3
    assert {name: getattr(row, name) for name in others} == others


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("budget", "gone", "There is no budget gone."),
        ("max_workers", "-1", "greater than or equal to 0"),
        ("retry_base_seconds", "0", "It must be longer than 0 seconds."),
        ("retain_failed_seconds", "soon", "is no duration; write 30s, 15m, 12h or 7d"),
        ("retain_failed_seconds", "99999d", "the longest duration is 36500d"),
        ("throttle_cap_seconds", "1s", "It is shorter than the first one."),
        ("throttle_base_seconds", "", "This field is required."),
    ],
)
def test_what_makes_no_sense_is_refused_beside_its_field(
    field: str, value: str, message: str
) -> None:
    row = queue()
    client = operator()
    response = client.post(form_of(row), filled(client, form_of(row), **{field: value}))

    assert message in response.context["adminform"].form.errors[field][0]
    assert Queue.objects.get().throttle_cap_seconds == 900


def test_a_budget_that_is_gone_is_told_where_one_edits() -> None:
    row = queue(budget="gone")
    form = operator().get(form_of(row)).context["adminform"].form

    assert "gone (does not exist)" in str(form["budget"])


def test_nobody_adds_a_queue_by_hand() -> None:
    assert operator().get(reverse("admin:forge_jobs_queue_add")).status_code == 403


def test_a_queue_is_deleted_when_nothing_needs_it() -> None:
    old = queue("old")
    Share.objects.create(queue="old", process=process(), slots=1, wanted=1, since=NOON)
    path = reverse("admin:forge_jobs_queue_delete", args=[old.pk])
    waiting = stored_job(queue="old")
    client = operator()
    assert client.post(path, {"post": "yes"}).status_code == 403
    waiting.cancel()

    assert client.post(path, {"post": "yes"}).status_code == 302
    assert not Queue.objects.exists()
    assert not Share.objects.exists()


def test_a_queue_that_is_declared_is_never_deleted() -> None:
    path = reverse("admin:forge_jobs_queue_delete", args=[queue().pk])

    assert operator().post(path, {"post": "yes"}).status_code == 403


def test_a_countdown_ends_at_nothing(manual_clock: ManualClock) -> None:
    row = queue(throttled_until=NOON + timedelta(seconds=12))
    manual_clock.advance(timedelta(minutes=1))

    assert shown().cools_until is None
    assert not row.is_cooling(now=clock.now())
