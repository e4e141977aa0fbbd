"""What operators have at hand: keys, buttons that act in place, and the way back."""

import pytest
from playwright.sync_api import Page, expect

from forge_jobs import clock
from forge_jobs.models import Job, Queue, State
from tests.browser.conftest import CHROMIUM
from tests.browser.seat import card, expect_no_reload, mark, press_at_once, undo
from tests.factories import process_named
from tests.rows import claim, finished_job
from tests.running import eventually

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

DEAD = "/admin/forge_jobs/job/?state=dead"


def state_of(job: Job) -> str:
    job.refresh_from_db()
    return job.state


def test_a_dead_job_is_requeued_and_taken_back_by_keys_alone(seat: Page) -> None:
    other, job = (finished_job(finished_at=clock.now()) for _ in range(2))
    seat.goto(DEAD)
    mark(seat)
    seat.keyboard.press("j")
    seat.keyboard.press("j")
    seat.keyboard.press("k")
    expect(seat.locator(f'tr[data-key="{job.pk}"] a').first).to_be_focused()
    seat.keyboard.press("r")
    expect(seat.locator("#mc-toast")).to_contain_text(f"Job {job} is requeued.")
    expect(seat.locator("[data-at]")).to_have_attribute("data-key", str(other.pk))
    eventually(lambda: state_of(job) == State.READY)

    undo(seat)
    expect(seat.locator("#mc-toast")).to_contain_text("it is dead, as before.")
    expect(seat.locator(f'tr[data-key="{job.pk}"]')).to_be_visible()
    expect_no_reload(seat)
    assert state_of(job) == State.DEAD


def test_an_undo_that_comes_too_late_says_so(seat: Page) -> None:
    job = finished_job()
    seat.goto(DEAD)
    press_at_once(seat.locator(f'tr[data-key="{job.pk}"]'), "Requeue")
    expect(seat.locator("#mc-toast")).to_contain_text("is requeued.")
    claim(process_named("here"), now=clock.now())
    undo(seat)

    expect(seat.locator("#mc-toast")).to_contain_text("It is too late to undo that")
    assert state_of(job) == State.RUNNING


def test_keys_are_told_and_never_taken_from_who_types(seat: Page) -> None:
    job = finished_job()
    seat.goto(DEAD)
    seat.keyboard.press("/")
    seat.keyboard.type("rj/k?")
    expect(seat.locator("#mc-q")).to_have_value("rj/k?")
    assert state_of(job) == State.DEAD

    seat.get_by_role("heading", name="Jobs", exact=True).click()
    seat.keyboard.press("?")
    dialog = seat.get_by_role("dialog", name="Keys")
    dialog.get_by_label("Use keys").uncheck()
    dialog.get_by_role("button", name="Close").click()
    seat.keyboard.press("j")
    seat.keyboard.press("r")
    expect(seat.locator("[data-at]")).to_have_count(0)
    assert state_of(job) == State.DEAD


def test_a_queue_is_paused_in_place_and_that_is_undone(seat: Page) -> None:
    Queue.objects.create(name="default")
    seat.goto("/admin/forge_jobs/queue/")
    seat.get_by_label("Refresh").select_option("0")
    mark(seat)
    press_at_once(card(seat, "default"), "Pause")
    expect(card(seat, "default")).to_contain_text("paused")
    undo(seat)

    expect(card(seat, "default")).not_to_contain_text("paused")
    expect_no_reload(seat)
    assert not Queue.objects.get().is_paused


def test_on_a_phone_the_current_tab_and_state_are_in_view(seat: Page) -> None:
    seat.set_viewport_size({"width": 390, "height": 844})
    seat.goto("/admin/forge_jobs/job/?state=cancelled")
    expect(seat.locator(".mc-states [aria-current]")).to_be_in_viewport(ratio=0.9)
    seat.goto("/admin/forge_jobs/missioncontrol/health/")
    expect(seat.locator(".mc-tabs [aria-current]")).to_be_in_viewport(ratio=0.9)
