"""The cron field: its form field, its widget, and what the preview says as one types."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django import forms
from django.forms import modelform_factory

from forge_jobs.cron.preview import preview
from forge_jobs.fields import CronFormField, CronWidget
from forge_jobs.models import Schedule
from tests.conftest import NOON


class Form(forms.Form):
    expression = CronFormField(widget=CronWidget(preview_url="/preview/"))


def test_the_model_s_form_takes_expressions() -> None:
    form = modelform_factory(Schedule, fields=["expression"])

    assert isinstance(form.base_fields["expression"], CronFormField)
    assert form({"expression": "*/5 * * * *"}).is_valid()


@pytest.mark.parametrize(
    ("expression", "said"), [("61 * * * *", "minute: '61' can't be"), ("@reboot", "@reboot")]
)
def test_a_bad_expression_is_refused_with_its_field_and_the_reason(
    expression: str, said: str
) -> None:
    (message,) = Form({"expression": expression}).errors["expression"]

    assert said in message


def test_the_widget_names_where_to_ask_and_needs_no_inline_script() -> None:
    html = str(Form()["expression"])

    assert 'data-cron-preview="/preview/"' in html
    assert 'data-cron-zone="timezone"' in html
    assert "<script" not in html
    assert "style=" not in html
    assert "forge_jobs/cron.js" in str(Form().media)


def test_a_widget_that_has_nowhere_to_ask_is_a_plain_input() -> None:
    assert "data-cron" not in CronWidget().render("expression", "")


def test_the_preview_has_the_meaning_and_the_next_five_in_the_zone() -> None:
    shown = preview("30 2 * * *", "Europe/Berlin", now=datetime.fromisoformat("2026-03-28T12:00Z"))

    assert shown == {
        "words": "At 02:30",
        "timezone": "Europe/Berlin",
        "next": [
            {"at": "2026-03-29T03:00:00+02:00", "text": "Sun 29 Mar 2026 03:00:00 CEST"},
            {"at": "2026-03-30T02:30:00+02:00", "text": "Mon 30 Mar 2026 02:30:00 CEST"},
            {"at": "2026-03-31T02:30:00+02:00", "text": "Tue 31 Mar 2026 02:30:00 CEST"},
            {"at": "2026-04-01T02:30:00+02:00", "text": "Wed 1 Apr 2026 02:30:00 CEST"},
            {"at": "2026-04-02T02:30:00+02:00", "text": "Thu 2 Apr 2026 02:30:00 CEST"},
        ],
    }


def test_without_a_zone_the_preview_has_the_project_s(settings: Any) -> None:
    settings.TIME_ZONE = "Asia/Kathmandu"

    assert preview("0 0 * * *", now=NOON)["next"][0]["at"] == "2026-03-03T00:00:00+05:45"


@pytest.mark.parametrize(
    ("expression", "zone", "field"),
    [("61 * * * *", "", "minute"), ("", "", "expression"), ("* * * * *", "Nowhere", "timezone")],
)
def test_the_preview_says_what_is_wrong(expression: str, zone: str, field: str) -> None:
    shown = preview(expression, zone, now=NOON + timedelta(0))

    assert shown["field"] == field
    assert shown["error"]
