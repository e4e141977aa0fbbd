"""The tab of schedules in a real browser: an expression is explained, changed, and takes effect."""

import pytest
from playwright.sync_api import Page, expect

from forge_jobs.models import Job, Schedule
from tests.browser.conftest import CHROMIUM
from tests.browser.seat import press, press_at_once
from tests.running import Runjobs, eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

LIST = "/admin/forge_jobs/schedule/"


def test_an_expression_is_explained_changed_and_followed(seat: Page) -> None:
    Schedule.objects.create(name="nightly", kind="app.noop", expression="0 3 * * *")
    with Runjobs("--threads", "2"):
        eventually(lambda: Schedule.objects.get().next_fire_at is not None)
        seat.goto(LIST)
        expect(seat.get_by_role("row", name="nightly")).to_contain_text("At 03:00")
        seat.get_by_role("link", name="nightly", exact=True).click()
        field = seat.get_by_label("Expression")
        expect(seat.locator(".cron-words")).to_contain_text("At 03:00")
        field.fill("61 * * * *")
        expect(seat.locator(".cron-error")).to_contain_text("minute")
        field.fill("* * * * * *")
        expect(seat.locator(".cron-words")).to_contain_text("Every second")
        expect(seat.locator(".cron-preview li")).to_have_count(5)
        seat.get_by_role("button", name="Save", exact=True).click()
        row = seat.get_by_role("row", name="nightly")
        expect(row).to_contain_text("Every second")
        eventually(lambda: Job.objects.finished().filter(schedule__isnull=False).exists())
        expect(row).to_contain_text("succeeded")
        press_at_once(row, "Disable")
        expect(row).to_contain_text("disabled")

    assert not Schedule.objects.get().is_enabled


def test_a_schedule_is_added_by_hand_and_triggered(seat: Page) -> None:
    seat.goto(LIST)
    seat.get_by_role("link", name="Add a schedule").click()
    seat.get_by_label("Name").fill("tidy")
    seat.get_by_label("Kind").select_option("app.noop")
    seat.get_by_label("Expression").fill("0 3 * * *")
    seat.get_by_role("button", name="Save", exact=True).click()
    with Runjobs("--threads", "2"):
        row = seat.get_by_role("row", name="tidy")
        press(row, "Trigger now")
        expect(row).to_contain_text("succeeded")

    assert Job.objects.get().context["origin"] == "trigger"
