"""What people do at the admin's pages in a real browser."""

import re

from django.contrib.auth.models import User
from django.test import Client
from playwright.sync_api import BrowserContext, Locator, Page, expect


def log_in(context: BrowserContext, *, address: str) -> None:
    """As a superuser called ada."""
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    value = client.cookies["sessionid"].value
    context.add_cookies([{"name": "sessionid", "value": value, "url": address}])


def listen(page: Page) -> list[str]:
    """What the console tells of: errors, and the security policy's refusals."""
    found: list[str] = []
    page.on("console", lambda said: found.append(f"{said.type}: {said.text} {said.location}"))
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


def serious(complaints: list[str]) -> list[str]:
    """The admin has no icon, for which browsers ask by themselves."""
    return [text for text in complaints if "favicon.ico" not in text]


def press(within: Page | Locator, name: str) -> None:
    """Press a button, and say yes to its question."""
    page = within if isinstance(within, Page) else within.page
    within.get_by_role("link", name=re.compile(f"^{name}")).click()
    page.get_by_role("button", name=name).click()


def press_at_once(within: Page | Locator, name: str) -> None:
    """Press a button that asks nothing."""
    within.get_by_role("button", name=re.compile(f"^{name}")).click()


def undo(page: Page) -> None:
    """Take back what a button has just done."""
    page.locator("#mc-toast").get_by_role("button", name="Undo").click()


def mark(page: Page) -> None:
    """See to it that a reload can be told."""
    page.evaluate("document.title = 'loaded once'")


def expect_no_reload(page: Page) -> None:
    expect(page).to_have_title("loaded once")


def brightness(page: Page, style: str) -> int:
    """The sum of red, green and blue."""
    color = page.evaluate("style => getComputedStyle(document.body)[style]", style)
    return sum(map(int, re.findall(r"\d+", color)[:3]))


def card(page: Page, name: str) -> Locator:
    """The card of a row, by its heading."""
    return page.locator(".mc-card", has=page.get_by_role("heading", name=name, exact=True))
