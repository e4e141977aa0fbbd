"""Mission Control without a mouse, and without eyes."""

import re

import pytest
from playwright.sync_api import Page, expect

from forge_jobs.models import Job, Schedule, State
from tests.browser.conftest import CHROMIUM
from tests.browser.faces import ADMIN
from tests.browser.seat import expect_no_reload, mark
from tests.rows import finished_job, stored_job

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

FOCUSED = "(document.activeElement.textContent || document.activeElement.value || '').trim()"


def focused(page: Page) -> str:
    text: str = page.evaluate(FOCUSED)
    return text


def tab_to(page: Page, name: str, *, within: int) -> None:
    """Press Tab until something of that name has the focus, and then Enter."""
    for _ in range(within):
        page.keyboard.press("Tab")
        if focused(page) == name:
            page.keyboard.press("Enter")
            return
    raise AssertionError(f"{name} is further away than {within} tabs.")


def test_a_dead_job_is_requeued_by_keyboard_alone(seat: Page) -> None:
    job = finished_job()
    seat.goto(f"{ADMIN}job/?state=dead")
    tab_to(seat, "Skip to main content", within=1)
    tab_to(seat, "Skip to the jobs", within=1)
    tab_to(seat, "Requeue", within=8)
    expect(seat.get_by_text("is requeued.")).to_be_visible()

    assert Job.objects.get(pk=job.pk).state == State.READY


def test_a_choice_by_arrow_keys_renews_the_page_and_keeps_the_focus(seat: Page) -> None:
    stored_job(queue="default")
    seat.goto(f"{ADMIN}missioncontrol/")
    mark(seat)
    seat.get_by_label("Queue", exact=True).focus()
    seat.keyboard.press("ArrowDown")
    seat.keyboard.press("ArrowDown")

    expect(seat.get_by_role("link", name="24h")).to_have_attribute(
        "href", "?window=24h&queue=images"
    )
    expect(seat.get_by_label("Queue", exact=True)).to_be_focused()
    expect_no_reload(seat)


def test_a_row_that_goes_takes_no_focus_with_it(seat: Page) -> None:
    for _ in range(3):
        stored_job(state=State.SCHEDULED)
    seat.goto(f"{ADMIN}job/?state=scheduled")
    rows = seat.locator(".mc-job-table tbody tr")
    expect(rows).to_have_count(3)
    rows.nth(1).locator(".mc-job a").focus()
    first, held, last = (str(row.get_attribute("data-key")) for row in rows.all())
    Job.objects.filter(pk=first).delete()
    expect(rows).to_have_count(2)
    where = "document.activeElement.closest('tr')?.dataset.key"
    assert seat.evaluate(where) == held

    Job.objects.filter(pk=held).delete()
    expect(rows).to_have_count(1)
    assert seat.evaluate(where) == last


def test_an_expression_is_spoken_once_it_is_typed(seat: Page) -> None:
    row = Schedule.objects.create(name="nightly", kind="app.noop", expression="0 3 * * *")
    seat.goto(f"{ADMIN}schedule/{row.pk}/change/")
    expect(seat.locator(".cron-words")).to_contain_text("At 03:00")
    seat.evaluate(
        """window.spoken = [];
        const said = document.querySelector(".cron-preview + [role=status]");
        new MutationObserver(() => spoken.push(1)).observe(said, {childList: true});"""
    )
    field = seat.get_by_label("Expression")
    field.fill("")
    field.press_sequentially("15 4 * * 1-5", delay=120)

    expect(seat.locator(".cron-preview + [role=status]")).to_contain_text("04:15")
    assert seat.evaluate("spoken.length") == 1


def test_a_chart_says_in_words_what_it_shows(seat: Page) -> None:
    seat.goto(f"{ADMIN}missioncontrol/")

    chart = seat.locator("[data-chart=jobs]").get_by_role("img")
    expect(chart).to_have_attribute("aria-label", "Nothing was measured in this time.")


def test_a_fault_in_the_filter_is_told_at_its_field(seat: Page) -> None:
    seat.goto(f"{ADMIN}job/?since=soon")

    since = seat.get_by_label("Since")
    expect(since).to_have_accessible_description(re.compile("“soon” is neither an age"))
