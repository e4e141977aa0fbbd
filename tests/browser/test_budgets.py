"""The tab of budgets in a real browser: drained, refilled, edited."""

import pytest
from playwright.sync_api import Page, expect

from forge_jobs.models import Job, Queue, RateLimitBudget, State
from tests.app.jobs import noop
from tests.browser.conftest import CHROMIUM
from tests.browser.seat import card, press
from tests.running import Runjobs, eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

LIST = "/admin/forge_jobs/ratelimitbudget/"


def test_a_budget_is_drained_and_refilled_and_its_queue_obeys(seat: Page) -> None:
    RateLimitBudget.objects.create(name="slack", capacity=5, refill_per_second=0.001, tokens=5)
    Queue.objects.create(name="default", budget="slack")
    seat.goto(LIST)
    slack = card(seat, "slack")
    expect(slack).to_contain_text("5 of 5 tokens")
    slack.get_by_role("link", name="Drain").click()
    seat.get_by_label("For how long").fill("10m")
    seat.get_by_role("button", name="Drain").click()
    expect(slack).to_contain_text("drained")
    expect(slack).to_contain_text("0 of 5 tokens")
    expect(slack).to_contain_text("in 9 min")
    with Runjobs("--threads", "2"):
        stored = noop.enqueue()
        expect(slack).to_contain_text("default, 1 job waits")
        press(slack, "Refill")
        expect(slack).to_contain_text("4 of 5 tokens")
        eventually(lambda: Job.objects.get(pk=stored.pk).state == State.SUCCEEDED)

    level = RateLimitBudget.objects.level("slack")
    assert level
    assert level.paused_seconds == 0


def test_a_budget_is_added_and_edited(seat: Page) -> None:
    seat.goto(LIST)
    seat.get_by_role("link", name="Add a budget").click()
    seat.get_by_label("Name").fill("sms")
    seat.get_by_label("Capacity").fill("20")
    seat.get_by_label("Refill per second").fill("0.5")
    seat.get_by_role("button", name="Save", exact=True).click()
    expect(card(seat, "sms")).to_contain_text("20 of 20 tokens")
    card(seat, "sms").get_by_role("link", name="Edit").click()
    seat.get_by_label("Capacity").fill("8")
    seat.get_by_role("button", name="Save", exact=True).click()
    expect(card(seat, "sms")).to_contain_text("8 of 8 tokens")

    assert RateLimitBudget.objects.get().capacity == 8
