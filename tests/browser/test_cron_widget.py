"""The cron field explains itself as one types, under a strict content security policy."""

import json
from urllib.parse import parse_qs, urlsplit

import pytest
from django import forms
from playwright.sync_api import Page, Route, expect

from forge_jobs.cron.preview import preview
from forge_jobs.fields import CronFormField, CronWidget
from tests.browser.conftest import CHROMIUM
from tests.conftest import NOON

pytestmark = [
    pytest.mark.browser,
    pytest.mark.once,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium was not found"),
]
POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'"


class Form(forms.Form):
    expression = CronFormField(widget=CronWidget(preview_url="/preview/"))
    timezone = forms.CharField(required=False, initial="Europe/Berlin")


@pytest.fixture
def asked(page: Page) -> list[str]:
    """The form is open; the expressions that it asked about so far."""
    asked: list[str] = []

    def answer(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query, keep_blank_values=True)
        asked.append(query["expression"][0])
        shown = preview(query["expression"][0], query["timezone"][0], now=NOON)
        route.fulfill(content_type="application/json", body=json.dumps(shown))

    form = Form(initial={"expression": "30 2 * * *"})
    script = '<script src="/static/forge_jobs/cron.js"></script>'
    html = f"<!doctype html><form>{form.as_div()}</form>{script}"
    headers = {"content-type": "text/html", "content-security-policy": POLICY}
    page.route("**/form/", lambda route: route.fulfill(headers=headers, body=html))
    page.route("**/preview/*", answer)
    page.goto("/form/")
    return asked


def shown(page: Page) -> list[str]:
    return page.locator(".cron-preview li").all_inner_texts()


@pytest.mark.usefixtures("asked")
def test_what_is_there_is_explained_at_once(page: Page) -> None:
    expect(page.locator(".cron-words")).to_have_text("At 02:30 (Europe/Berlin)")
    expect(page.locator(".cron-preview li")).to_have_count(5)
    assert shown(page)[0] == "Tue 3 Mar 2026 02:30:00 CET"
    described = page.get_by_label("Expression").get_attribute("aria-describedby") or ""
    assert "id_expression_preview" in described


def test_what_is_typed_is_explained_after_a_pause(page: Page, asked: list[str]) -> None:
    expect(page.locator(".cron-words")).to_be_visible()
    field = page.get_by_label("Expression")
    field.fill("")
    field.press_sequentially("@every 30s")

    expect(page.locator(".cron-words")).to_have_text("Every 30 seconds (Europe/Berlin)")
    assert len(asked) < len("@every 30s")


@pytest.mark.usefixtures("asked")
def test_a_bad_expression_is_told_with_its_reason_until_it_is_mended(page: Page) -> None:
    field = page.get_by_label("Expression")
    field.fill("61 * * * *")
    expect(page.locator(".cron-error")).to_have_text("minute: '61' can't be; it takes 0 to 59")
    assert field.get_attribute("aria-invalid") == "true"

    field.fill("6 * * * *")
    expect(page.locator(".cron-words")).to_contain_text("6 minutes past the hour")
    assert field.get_attribute("aria-invalid") is None


@pytest.mark.usefixtures("asked")
def test_another_zone_is_followed(page: Page) -> None:
    expect(page.locator(".cron-words")).to_be_visible()
    page.get_by_label("Timezone").fill("Asia/Kathmandu")

    expect(page.locator(".cron-words")).to_have_text("At 02:30 (Asia/Kathmandu)")


@pytest.mark.usefixtures("asked")
def test_an_empty_field_says_nothing(page: Page) -> None:
    expect(page.locator(".cron-words")).to_be_visible()
    page.get_by_label("Expression").fill("")

    expect(page.locator(".cron-preview")).to_be_empty()
