"""Queues, processes, schedules and budgets in every light and width."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Literal

import pytest
from playwright.sync_api import Page

from forge_jobs import clock
from forge_jobs.models import Process, Queue, RateLimitBudget, Schedule
from tests.browser.conftest import CHROMIUM
from tests.browser.seat import brightness
from tests.factories import process_named
from tests.rows import stored_job

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

LONG = "a-name-that-" + "never-" * 14 + "ends"
BOARDS = ["queue", "process", "schedule", "ratelimitbudget"]


def fill() -> None:
    """Of each table a row with a long name, and much to say."""
    now = clock.now()
    Queue.objects.create(
        name=LONG, is_paused=True, budget=LONG, throttled_until=now + timedelta(hours=1)
    )
    process_named(
        LONG,
        host=LONG,
        queues=[LONG] * 3,
        trouble=f"It stumbled over {LONG}.",
        started_at=now,
        heartbeat_at=now,
        state="quiet",
        requested_state="stopping",
        requested_by=LONG,
    )
    Schedule.objects.create(
        name=LONG, kind=LONG, expression="0 3 * * *", last_error=LONG * 3, next_fire_at=now
    )
    RateLimitBudget.objects.create(
        name=LONG, capacity=1e9, refill_per_second=1e-9, tokens=1e6, drained_until=now
    )
    process = Process.objects.get()
    stored_job(queue=LONG, kind=LONG, state="running", process=process, started_at=now)
    stored_job(queue=LONG, kind=LONG)


def pages() -> Iterator[str]:
    for board in BOARDS:
        yield f"/admin/forge_jobs/{board}/"
    for model in (Queue, Process, Schedule, RateLimitBudget):
        pk = model._default_manager.get(name=LONG).pk
        yield f"/admin/forge_jobs/{model._meta.model_name}/{pk}/change/"


@pytest.mark.once
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_fits_whatever_the_light_and_the_width(
    seat: Page, scheme: Literal["light", "dark"], width: int
) -> None:
    fill()
    seat.set_viewport_size({"width": width, "height": 844})
    seat.emulate_media(color_scheme=scheme)
    for path in pages():
        answer = seat.goto(path)
        assert answer
        assert answer.ok, path
        assert seat.evaluate("document.documentElement.scrollWidth") == width, path
        is_dark = brightness(seat, "color") > brightness(seat, "backgroundColor")
        assert is_dark == (scheme == "dark"), path
