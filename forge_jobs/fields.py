"""Fields of our own: cron expressions, explained as one types, and JSON that keeps its floats."""

from __future__ import annotations

import json
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from forge_jobs import jsontext
from forge_jobs.cron import LONGEST_EXPRESSION
from forge_jobs.cron.zones import UnknownZone, zone_named


def validate_cron(expression: str) -> None:
    """Refuse what is no expression, with the field of it and the reason."""
    from forge_jobs.cron.expression import BadExpression, Cron

    try:
        Cron(expression)
    except BadExpression as error:
        raise ValidationError(
            _("This is no cron expression: %(field)s: %(reason)s."),
            code="cron",
            params={"field": error.field, "reason": error.reason},
        ) from None


def validate_zone(name: str) -> None:
    """Refuse what is no IANA time zone."""
    try:
        zone_named(name)
    except UnknownZone:
        raise ValidationError(
            _("There is no time zone %(name)r; write one such as Europe/Berlin."),
            code="zone",
            params={"name": name},
        ) from None


class CronWidget(forms.TextInput):
    """Asks `preview_url` for the meaning and the next moments, in the zone of another input."""

    class Media:
        js: Final = ("forge_jobs/cron.js",)

    def __init__(
        self,
        attrs: dict[str, Any] | None = None,
        *,
        preview_url: str = "",
        zone_field: str = "timezone",
    ) -> None:
        super().__init__({"spellcheck": "false", "autocomplete": "off", **(attrs or {})})
        self.preview_url = preview_url
        self.zone_field = zone_field

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        if self.preview_url:
            context["widget"]["attrs"] |= {
                "data-cron-preview": self.preview_url,
                "data-cron-zone": self.zone_field,
            }
        return context


class CronFormField(forms.CharField):
    """An expression that can be read; its widget explains it if it is given a `preview_url`."""

    widget = CronWidget
    default_validators = [validate_cron]  # noqa: RUF012 - as in Django


class CronField(models.CharField):  # type: ignore[type-arg] # only in stubs
    """Holds a cron expression, such as `*/5 * * * *` or `@every 30s`."""

    description = _("Cron expression")
    default_validators = [*models.CharField.default_validators, validate_cron]  # noqa: RUF012 - as in Django

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", LONGEST_EXPRESSION)
        super().__init__(*args, **kwargs)

    def formfield(self, **kwargs: Any) -> Any:
        return super().formfield(**{"form_class": CronFormField, **kwargs})


class LastingEncoder(json.JSONEncoder):
    def encode(self, o: Any) -> str:
        return jsontext.with_lasting_floats(super().encode(o))


class LastingJSONField(models.JSONField):
    """Gives floats back as what they were; to the database, and to migrations, a `JSONField`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"encoder": LastingEncoder, **kwargs})

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _, args, kwargs = super().deconstruct()
        kwargs.pop("encoder", None)
        return name, "django.db.models.JSONField", args, kwargs
