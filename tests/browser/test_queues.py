"""The tab of queues in a real browser, with real processes behind it."""

import re
from datetime import timedelta

import pytest
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from forge_jobs import clock
from forge_jobs.models import Job, Queue, State
from tests.app.jobs import noop, wait_for_cancel
from tests.browser.conftest import CHROMIUM
from tests.browser.seat import card, expect_no_reload, log_in, mark, press, press_at_once
from tests.running import PATIENCE, Runjobs, eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

LIST = "/admin/forge_jobs/queue/"


def running() -> int:
    count: int = Job.objects.running().count()
    return count


def test_a_queue_is_paused_and_resumed_and_its_card_follows_by_itself(seat: Page) -> None:
    with Runjobs("--threads", "2"):
        eventually(lambda: Queue.objects.filter(name="default").exists())
        seat.goto(LIST)
        default = card(seat, "default")
        expect(default).to_contain_text("running")
        press_at_once(default, "Pause")
        expect(default.locator(".mc-card-head")).to_contain_text("paused")
        eventually(lambda: Queue.objects.get(name="default").is_paused)
        mark(seat)
        stored = noop.enqueue()
        expect(default.locator("li[data-state=ready]")).to_contain_text("1")
        expect_no_reload(seat)
        press_at_once(default, "Resume")
        expect(default.locator("li[data-state=succeeded]")).to_contain_text("1")

    stored.refresh_from_db()
    assert stored.state == State.SUCCEEDED


def test_another_number_of_workers_takes_effect_at_once(seat: Page) -> None:
    Queue.objects.create(name="default")
    allow(seat, "1")
    with Runjobs("--threads", "8", "--shutdown-timeout", "1"):
        wait_for_cancel.enqueue_many([{"seconds": 5 * PATIENCE}] * 6)
        default = card(seat, "default")
        expect(default).to_contain_text("1 of 1")
        expect(default.locator("li[data-state=ready]")).to_contain_text("5")
        assert running() == 1
        allow(seat, "3")
        expect(default).to_contain_text("3 of 3")
        eventually(lambda: running() == 3)
        Job.objects.all().cancel(now=clock.now())


def allow(seat: Page, workers: str) -> None:
    """Edit the default queue, and come back to the list."""
    seat.goto(LIST)
    card(seat, "default").get_by_role("link", name="Edit: default").click()
    seat.get_by_label("Workers at most").fill(workers)
    seat.get_by_role("button", name="Save", exact=True).click()
    expect(seat.get_by_text("was changed successfully")).to_be_visible()


def test_a_mistake_is_told_beside_its_field(seat: Page) -> None:
    row = Queue.objects.create(name="default")
    seat.goto(f"{LIST}{row.pk}/change/")
    seat.get_by_label("Keep succeeded for").fill("soon")
    seat.get_by_role("button", name="Save", exact=True).click()

    expect(seat.locator(".field-retain_succeeded_seconds .errorlist")).to_contain_text("15m")
    assert Queue.objects.get().retain_succeeded_seconds == 7 * 86_400


def test_a_cooling_counts_down_between_two_looks_and_can_be_ended(seat: Page) -> None:
    until = clock.now() + timedelta(minutes=30)
    Queue.objects.create(name="default", throttled_until=until, throttle_attempts=2)
    seat.goto(LIST)
    seat.get_by_label("Refresh").select_option("0")
    left = card(seat, "default").locator("time[data-until]")
    first = left.inner_text()
    expect(left).not_to_have_text(first)
    expect(left).to_contain_text("in 29 min")
    press(card(seat, "default"), "End the cooling")
    expect(card(seat, "default").locator(".mc-card-head")).not_to_contain_text("cooling")

    assert Queue.objects.get().throttled_until is None


def test_counts_lead_to_the_jobs(seat: Page) -> None:
    Queue.objects.create(name="default")
    noop.enqueue()
    seat.goto(LIST)
    card(seat, "default").locator("li[data-state=ready] a").click()

    expect(seat).to_have_url(re.compile(r"/job/\?queue=default&state=ready$"))


def test_all_works_without_scripts(browser: Browser, live_server: LiveServer) -> None:
    Queue.objects.create(name="default")
    context = browser.new_context(base_url=live_server.url, java_script_enabled=False)
    log_in(context, address=live_server.url)
    page = context.new_page()
    page.goto(LIST)
    press_at_once(card(page, "default"), "Pause")
    expect(card(page, "default")).to_contain_text("paused")
    assert Queue.objects.get().is_paused
    page.get_by_role("button", name="Undo").click()
    expect(card(page, "default")).not_to_contain_text("paused")
    context.close()

    assert not Queue.objects.get().is_paused
