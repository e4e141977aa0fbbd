"""Every page in every light and width, by eye and by ear: in Django's own admin, and in themes."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import CHROMIUM
from tests.browser.faces import ADMIN, LONG, fill, listen, look, missing, served
from tests.browser.seat import brightness, card, expect_no_reload, log_in, mark
from tests.rows import stored_job

pytestmark = [
    pytest.mark.browser,
    pytest.mark.face,
    pytest.mark.once,
    pytest.mark.timeout(400),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]

THEMES = [
    pytest.param(theme, marks=pytest.mark.skipif(bool(why := missing(theme)), reason=why))
    for theme in ("unfold", "jazzmin", "grappelli")
]
WIDTHS = (390, 1024, 768, 1440)


def faults(page: Page, paths: list[str], *, within: str, widths: tuple[int, ...]) -> Iterator[str]:
    for path in paths:
        page.emulate_media(color_scheme="light")
        answer = page.goto(ADMIN + path)
        if not answer or not answer.ok:
            yield f"{path} is not there"
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            yield from (f"{path} at {width} px: {fault}" for fault in look(page))
        yield from (f"{path}: {fault}" for fault in listen(page, within))
        page.emulate_media(color_scheme="dark")
        if brightness(page, "color") < brightness(page, "backgroundColor"):
            page.reload()  # its theme asks for the light only then
        yield from (f"{path} by night: {found}" for found in listen(page, within, "color-contrast"))


def test_every_page_fits_and_is_there_for_everybody(seat: Page) -> None:
    assert list(faults(seat, fill(), within="html", widths=WIDTHS)) == []
    assert brightness(seat, "color") > brightness(seat, "backgroundColor")


@pytest.fixture
def themed(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """The admin in a theme, for somebody who may do everything."""
    with served(request.param) as address:
        context = browser.new_context(base_url=address)
        log_in(context, address=address)
        yield context.new_page()
        context.close()


@pytest.mark.parametrize("themed", THEMES, indirect=True)
def test_under_a_theme_pages_look_as_they_should_renew_themselves_and_save(themed: Page) -> None:
    paths = fill()[:8]
    assert list(faults(themed, paths, within="#mission-control", widths=WIDTHS[:2])) == []
    themed.goto(f"{ADMIN}queue/")
    mark(themed)
    stored_job(queue="born-later")
    expect(card(themed, "born-later")).to_be_visible()
    expect_no_reload(themed)
    card(themed, LONG).get_by_role("link", name="Edit").click()
    themed.get_by_label("Workers at most").fill("3")
    themed.get_by_role("button", name="Save", exact=True).click()

    expect(themed.get_by_text("was changed successfully")).to_be_visible()
    expect(card(themed, LONG)).to_contain_text("1 of 3")
