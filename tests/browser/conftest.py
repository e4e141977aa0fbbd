"""Gives the browser's tests a real Chromium, and a folder for files that workers see, too."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connections
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from tests.browser.seat import listen, log_in, serious
from tests.running import PATIENCE

CHROMIUM = shutil.which("chromium")
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = terminalreporter.stats.get("skipped", [])
    if CHROMIUM is None and any("browser" in report.keywords for report in skipped):
        terminalreporter.write_line(
            "Browser tests were skipped: Chromium was not found. apt-get install chromium"
        )


@pytest.fixture(scope="module")
def chromium(django_db_setup: None) -> Iterator[Browser]:
    """Started once a file, for it takes longer than most of what it is asked to do.

    While Playwright runs, so does its event loop, in which Django would forbid the ORM.
    """
    expect.set_options(timeout=PATIENCE * 1000)
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        yield playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        connections.close_all()  # those of the loop


@pytest.fixture
def browser(transactional_db: None, chromium: Browser) -> Iterator[Browser]:
    yield chromium
    for context in chromium.contexts:
        context.close()


@pytest.fixture
def page(
    browser: Browser,
    live_server: LiveServer,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Page:
    """The gallery, without any picture yet; the server and the workers share its files."""
    settings.MEDIA_ROOT = tmp_path
    monkeypatch.setenv("FORGE_JOBS_TEST_MEDIA_ROOT", str(tmp_path))
    page = browser.new_page(base_url=live_server.url)
    page.goto("/")
    return page


@pytest.fixture
def complaints(page: Page) -> list[str]:
    """What the console tells of: errors, the security policy's refusals, files not found."""
    found: list[str] = []
    page.on("console", lambda said: found.append(f"{said.type}: {said.text}"))
    page.on("pageerror", lambda error: found.append(str(error)))
    page.reload()
    return found


@pytest.fixture
def seat(browser: Browser, live_server: LiveServer) -> Iterator[Page]:
    """The admin, for somebody who may do everything; no page of it may complain."""
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    log_in(context, address=live_server.url)
    page = context.new_page()
    complaints = listen(page)
    yield page
    context.close()
    assert serious(complaints) == []
