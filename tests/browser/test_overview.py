"""Overview and health in a real browser: live counts, and charts that are drawn and narrowed."""

import pytest
from playwright.sync_api import Page, expect

from forge_jobs import enqueue
from forge_jobs.models import Job
from tests.browser.conftest import CHROMIUM
from tests.browser.seat import expect_no_reload, mark
from tests.running import Runjobs

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

OVERVIEW = "/admin/forge_jobs/missioncontrol/"
HEALTH = f"{OVERVIEW}health/"


def tile(page: Page, name: str) -> str:
    return f'.mc-tile[data-key="{name}"] .mc-tile-number'


def test_counts_and_charts_follow_the_jobs_without_a_reload(seat: Page) -> None:
    for _ in range(5):
        enqueue("app.noop")
    seat.goto(f"{OVERVIEW}?window=5m")
    expect(seat.locator(tile(seat, "ready"))).to_have_text("5")
    expect(seat.locator('[data-chart="jobs"] canvas')).to_be_visible()
    expect(seat.locator('[data-chart="jobs"] [data-empty]')).to_be_visible()
    mark(seat)

    with Runjobs():
        expect(seat.locator(tile(seat, "succeeded"))).to_have_text("5")
        expect(seat.locator(tile(seat, "processes"))).to_have_text("1")
        expect(seat.locator('[data-chart="jobs"] [data-empty]')).to_be_hidden()
        expect(seat.locator('[data-live="run_time"]')).to_contain_text("p95")

    expect_no_reload(seat)
    assert Job.objects.filter(state="succeeded").count() == 5


def test_a_window_and_a_queue_are_chosen_and_stay_together(seat: Page) -> None:
    seat.goto(OVERVIEW)
    seat.get_by_role("link", name="24h").click()
    seat.get_by_label("Queue", exact=True).select_option("other")
    seat.wait_for_url("**/?window=24h&queue=other&kind=")

    expect(seat.get_by_role("link", name="24h")).to_have_attribute("aria-current", "true")
    expect(seat.get_by_label("Queue", exact=True)).to_have_value("other")


def test_health_tells_of_the_database_and_of_each_process(seat: Page) -> None:
    with Runjobs("--name", "phoenix"):
        seat.goto(HEALTH)
        row = seat.locator(".mc-table").get_by_role("row", name="phoenix")
        expect(row).to_contain_text("(leads)")
        expect(seat.locator('[data-chart="memory"] .u-legend')).to_contain_text("phoenix")

    expect(seat.locator('[data-chart="memory"] canvas')).to_be_visible()


@pytest.mark.parametrize("every", ["0", "5"])
def test_how_often_to_look_is_remembered(seat: Page, every: str) -> None:
    seat.goto(OVERVIEW)
    seat.get_by_label("Refresh").select_option(every)
    seat.goto(HEALTH)

    expect(seat.get_by_label("Refresh")).to_have_value(every)
