"""The tab of processes in a real browser, with real processes to calm and stop."""

import pytest
from playwright.sync_api import Page, expect

from forge_jobs import clock
from forge_jobs.models import Job, State
from tests.app.jobs import noop, wait_for_cancel
from tests.browser.conftest import CHROMIUM
from tests.browser.seat import card, expect_no_reload, mark, press, press_at_once
from tests.rows import stored_job
from tests.running import PATIENCE, Runjobs, eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

LIST = "/admin/forge_jobs/process/"


def test_a_process_appears_with_what_it_runs_and_the_banner_goes(seat: Page) -> None:
    stored = wait_for_cancel.enqueue(seconds=5 * PATIENCE)
    seat.goto(LIST)
    expect(seat.get_by_role("alert")).to_contain_text("No live process serves queue default.")
    mark(seat)
    with Runjobs("--name", "tested", "--threads", "2"):
        tested = card(seat, "tested")
        expect(tested.get_by_role("link", name=f"#{stored.pk}")).to_be_visible()
        expect(tested).to_contain_text("1 of 4 at once")
        expect(tested).to_contain_text("leader")
        expect(seat.get_by_role("alert")).to_have_count(0)
        Job.objects.all().cancel(now=clock.now())
        expect(tested).to_contain_text("0 of 4 at once")
        expect(tested).to_contain_text("none")
    expect_no_reload(seat)


def test_a_process_is_made_quiet_claims_again_and_is_stopped(seat: Page) -> None:
    with Runjobs("--name", "tested", "--threads", "2") as runjobs:
        seat.goto(LIST)
        tested = card(seat, "tested")
        press_at_once(tested, "Make quiet")
        expect(tested.locator(".mc-card-head")).to_contain_text("quiet")
        stored = noop.enqueue()
        expect(seat.get_by_role("alert")).to_contain_text("No live process serves queue default.")
        stored.refresh_from_db()
        assert stored.state == State.READY
        press_at_once(tested, "Let it claim again")
        expect(tested.locator(".mc-card-head")).to_contain_text("running")
        expect(seat.get_by_role("alert")).to_have_count(0)
        eventually(lambda: Job.objects.filter(state=State.SUCCEEDED).count() == 1)
        press(tested, "Ask to stop")
        code, output = runjobs.wait()
        expect(seat.get_by_text("No process is known.")).to_be_visible()

    assert code == 0
    assert "asked to by ada" in output


def test_a_name_that_is_no_name_is_shown_as_text(seat: Page) -> None:
    stored_job(queue="<img src=x onerror=alert(1)>")
    seat.goto(LIST)

    expect(seat.get_by_role("alert")).to_contain_text("<img src=x onerror=alert(1)>")
