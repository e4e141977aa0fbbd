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


# One for each test: while Playwright runs, its event loop forbids this thread the ORM, which
# pytest-django needs between the tests. It starts after the database is ready, for that reason.
@pytest.fixture
def browser(transactional_db: None) -> Iterator[Browser]:
    expect.set_options(timeout=PATIENCE * 1000)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield chromium
        chromium.close()


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
def seat(
    browser: Browser, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Page]:
    """The admin, for somebody who may do everything; no page of it may complain."""
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # the test looks at the database as well
    context = browser.new_context(base_url=live_server.url, viewport={"width": 1280, "height": 900})
    log_in(context, address=live_server.url)
    page = context.new_page()
    complaints = listen(page)
    yield page
    connections.close_all()  # of the loop's context; PostgreSQL drops no database that has any
    context.close()
    assert serious(complaints) == []
