"""The Jobs tabs as operators use them: a real browser, a strict policy, real workers."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Browser, Page, expect
from pytest_django.live_server_helper import LiveServer

from forge_jobs import clock, enqueue
from forge_jobs.models import Job, State
from tests.browser.conftest import CHROMIUM
from tests.browser.seat import press_at_once
from tests.rows import finished_job, stored_job
from tests.running import Runjobs

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

LIST = "/admin/forge_jobs/job/"
LOGIN = "operator"


@pytest.fixture
def rows(transactional_db: None) -> dict[str, Job]:
    User.objects.create_superuser(LOGIN, password=LOGIN)
    minute = timedelta(minutes=1)
    now = clock.now()
    jobs = {
        "dead": finished_job(
            started_at=now - 2 * minute,
            finished_at=now - minute,
            last_error="ValueError: " + "unreadable" * 20,
            errors=[
                {
                    "at": (now - minute).isoformat(),
                    "attempt": 3,
                    "message": "ValueError: " + "unreadable" * 20,
                    "traceback": "Traceback (most recent call last):\n  " + "x" * 300,
                }
            ],
        ),
        "waits": enqueue("app.wait_for_cancel", {"seconds": 600}),
        "later": stored_job(state=State.SCHEDULED, run_at=now + 60 * minute, queue="other"),
    }
    for number in range(3):
        stored_job(kind="app.mail", state=State.SCHEDULED, run_at=now + (9 + number) * minute)
    return jobs


@pytest.fixture
def complaints() -> list[str]:
    return []


@pytest.fixture
def seat(
    rows: dict[str, Job],
    browser: Browser,
    live_server: LiveServer,
    complaints: list[str],
) -> Iterator[Page]:
    """The operator's browser, logged in, under a strict policy; at the end nothing was amiss."""
    page = browser.new_page(base_url=live_server.url)
    page.on("console", lambda said: complaints.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"/admin/login/?next={LIST}")
    page.get_by_label("Username").fill(LOGIN)
    page.get_by_label("Password").fill(LOGIN)
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("heading", name="Jobs", exact=True)).to_be_visible()
    complaints.clear()  # the login page is not ours
    yield page
    assert [said for said in complaints if "favicon" not in said] == []


def test_a_dead_job_is_requeued_and_seen_to_run(seat: Page, rows: dict[str, Job]) -> None:
    seat.goto(f"{LIST}?state=dead")
    row = seat.locator(f'tr[data-key="{rows["dead"].pk}"]')
    press_at_once(row, "Requeue")

    expect(seat.locator("#mc-toast")).to_contain_text(f"Job {rows['dead']} is requeued.")
    expect(seat.get_by_text("No job fits the filter.")).to_be_visible()
    seat.goto(f"{LIST}{rows['dead'].pk}/change/")
    expect(seat.locator(".mc-diagnosis")).to_contain_text("No process is live")
    seat.evaluate("document.title = 'loaded once'")
    with Runjobs():
        expect(seat.locator(".mc-job-head .mc-state")).to_have_text("succeeded")
    expect(seat.locator(".mc-timeline")).to_contain_text("Succeeded")
    expect(seat).to_have_title("loaded once")


def test_a_running_job_is_killed(seat: Page, rows: dict[str, Job]) -> None:
    seat.goto(f"{LIST}{rows['waits'].pk}/change/")
    with Runjobs():
        expect(seat.locator(".mc-diagnosis")).to_contain_text("It runs in")
        seat.get_by_role("link", name="Kill").click()
        seat.get_by_label("Why?").fill("takes for ever")
        seat.get_by_role("button", name="Kill").click()
        expect(seat.locator(".messagelist")).to_contain_text("is being killed.")
        expect(seat.locator(".mc-job-head .mc-state")).to_have_text("cancelled")
    expect(seat.locator(".mc-timeline")).to_contain_text(f"by {LOGIN}: takes for ever")
    expect(seat.locator("[data-live=log]")).to_contain_text(LOGIN)


def test_all_that_match_a_filter_are_cancelled(seat: Page) -> None:
    seat.get_by_label("Kind").fill("app.ma*")
    seat.get_by_role("button", name="Filter").click()
    expect(seat.locator(".mc-job-table tbody tr")).to_have_count(3)
    seat.locator('tbody input[type="checkbox"]').first.check()
    seat.get_by_label("To", exact=True).select_option("all jobs that match the filter")
    seat.locator("[data-selection]").get_by_role("button", name="Cancel").click()

    expect(seat.get_by_text("All jobs that match: kind app.ma*.")).to_be_visible()
    expect(seat.get_by_text("3 jobs would be cancelled.")).to_be_visible()
    seat.get_by_role("button", name="Cancel 3 jobs").click()
    expect(seat.get_by_text("3 jobs cancelled.")).to_be_visible()
    expect(seat.locator(".mc-job-table tbody .mc-state")).to_have_text(["cancelled"] * 3)


def test_ticks_are_counted_and_keep_the_list_still(seat: Page, rows: dict[str, Job]) -> None:
    seat.goto(f"{LIST}?state=scheduled")
    ticks = seat.locator('tbody input[type="checkbox"]')
    bar = seat.locator("[data-selection]")
    expect(bar).to_be_hidden()
    seat.get_by_label("Tick all jobs of this page").check()
    expect(seat.locator("#mc-across option").first).to_have_text("the ticked jobs (4)")
    ticks.first.uncheck()
    expect(seat.locator("#mc-across option").first).to_have_text("the ticked jobs (3)")

    seat.get_by_label("Refresh").select_option("every second")
    with seat.expect_response(lambda response: "state=scheduled" in response.url):
        pass
    expect(ticks.last).to_be_checked()
    bar.get_by_role("button", name="Run now").click()
    seat.get_by_role("button", name="Run now 3 jobs").click()
    expect(seat.get_by_text("3 jobs made ready.")).to_be_visible()
    expect(seat.locator(".mc-job-table tbody tr")).to_have_count(1)


def test_new_jobs_appear_by_themselves(seat: Page) -> None:
    seat.get_by_label("Refresh").select_option("every second")
    before = seat.locator(".mc-job-table tbody tr").count()

    with Runjobs():
        expect(seat.locator('tbody [data-state="running"]')).to_have_count(1)
    assert seat.locator(".mc-job-table tbody tr").count() == before


def test_the_list_works_without_javascript(
    seat: Page, browser: Browser, live_server: LiveServer, rows: dict[str, Job]
) -> None:
    context = browser.new_context(
        base_url=live_server.url,
        java_script_enabled=False,
        storage_state=seat.context.storage_state(),
    )
    page = context.new_page()
    page.goto(f"{LIST}?state=dead")
    page.locator('tbody input[type="checkbox"]').check()
    page.locator("[data-selection]").get_by_role("button", name="Requeue").click()
    page.get_by_role("button", name="Requeue 1 job").click()

    expect(page.get_by_text("1 job requeued.")).to_be_visible()
    context.close()


@pytest.fixture
def unspeakable(rows: dict[str, Job]) -> int:
    """The id of a job whose kind is one long word."""
    pk: int = rows["dead"].pk
    Job.objects.filter(pk=pk).update(kind="app." + "unspeakable" * 16)
    return pk


@pytest.mark.once
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_pages_fit_in_any_light_and_width(
    unspeakable: int, seat: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    seat.set_viewport_size({"width": width, "height": 844})
    seat.emulate_media(color_scheme=scheme)
    pk = unspeakable

    for address in ("", "?state=dead", f"{pk}/change/", f"{pk}/history/", f"requeue-job/{pk}/"):
        seat.goto(LIST + address)
        assert seat.evaluate("document.documentElement.scrollWidth") == width, address
        is_dark = brightness(seat, "color") > brightness(seat, "backgroundColor")
        assert is_dark == (scheme == "dark")


def brightness(page: Page, style: str) -> int:
    """The sum of red, green and blue."""
    color = page.evaluate("style => getComputedStyle(document.body)[style]", style)
    return sum(map(int, re.findall(r"\d+", color)))
