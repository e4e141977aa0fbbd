"""The gallery as people see it: a real browser, a real server and a real worker."""

import re
from typing import Literal

import pytest
from playwright.sync_api import FilePayload, Locator, Page, expect

from sample_project.gallery.album import LENGTH
from sample_project.gallery.drawing import draw
from tests.browser.conftest import CHROMIUM
from tests.running import Runjobs

pytestmark = [
    pytest.mark.browser,
    pytest.mark.processes,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

SEA = FilePayload(name="sea.jpg", mimeType="image/jpeg", buffer=draw("waves", seed=1))
SHEET = FilePayload(name="Unbreakable" * 9 + ".jpg", mimeType="image/jpeg", buffer=b"no picture")


def test_the_thumbnail_of_an_upload_appears_without_a_reload(page: Page) -> None:
    card = upload(page, SEA)
    expect(card.locator("img")).to_be_hidden()
    page.evaluate("document.title = 'loaded once'")

    with Runjobs():
        expect(card.locator("[data-step=thumbnail]")).to_have_text("succeeded")

    expect(card.get_by_role("img", name="sea")).to_have_js_property("naturalWidth", 480)
    expect(page).to_have_title("loaded once")


def test_a_file_that_is_no_picture_ends_as_dead_and_says_why(page: Page) -> None:
    card = upload(page, SHEET)

    with Runjobs():
        expect(card.locator("[data-step=thumbnail]")).to_have_text("dead")

    expect(card.get_by_text("cannot be decoded")).to_be_visible()
    expect(card.locator("img")).to_be_hidden()


def test_the_sample_album_fills_the_page_and_its_counts_go_up_by_themselves(page: Page) -> None:
    page.get_by_role("button", name="Import the sample album").click()
    expect(page.locator("[data-total]")).to_have_text(str(LENGTH))
    expect(page.locator(".card")).to_have_count(48)
    succeeded = page.locator("[data-count=succeeded]")
    expect(succeeded).to_have_text("0")
    page.evaluate("document.title = 'loaded once'")

    with Runjobs() as runjobs:
        expect(succeeded).to_have_text(re.compile(r"^([5-9]|\d{2,})$"))
        expect(page.locator(".card img").first).to_be_visible()  # pictures may come after colours
        runjobs.terminate()
        runjobs.wait()

    expect(page).to_have_title("loaded once")


@pytest.mark.once
@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_nothing_is_wrong_in_any_light_and_width(
    page: Page, complaints: list[str], scheme: Literal["light", "dark"], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.emulate_media(color_scheme=scheme)
    card = upload(page, SEA, SHEET)

    with Runjobs("--drain") as runjobs:
        runjobs.wait()

    expect(page.locator("[data-count=dead]")).to_have_text("1")
    expect(card.get_by_role("img", name="sea")).to_have_js_property("naturalWidth", 480)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert (brightness(page, "color") > brightness(page, "backgroundColor")) == (scheme == "dark")
    assert complaints == []


def upload(page: Page, *files: FilePayload) -> Locator:
    """Upload the files as people do; returns the card of the first one."""
    page.get_by_label("Upload pictures").set_input_files(files)
    page.get_by_role("button", name="Upload", exact=True).click()
    expect(page.locator(".card")).to_have_count(len(files))
    return page.locator(".card").last


def brightness(page: Page, style: str) -> int:
    """The sum of red, green and blue."""
    color = page.evaluate("style => getComputedStyle(document.body)[style]", style)
    return sum(map(int, re.findall(r"\d+", color)))
