"""Fields of our own: to type durations, moments and known names in, and to read moments in."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any, Final

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms.fields import InvalidJSONInput
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _

from forge_jobs import durations, jsontext

EARLIEST: Final = 1900
LATEST: Final = 9000


class DurationField(forms.Field):
    """Seconds, typed as `30s`, `15m`, `12h`, `7d` or a number; None where nothing is typed."""

    def __init__(self, *, is_above_zero: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.is_above_zero = is_above_zero
        self.widget.attrs |= {"size": "10", "autocomplete": "off", "spellcheck": "false"}

    def prepare_value(self, value: Any) -> Any:
        return durations.written(value) if isinstance(value, int | float) else value

    def to_python(self, value: Any) -> Any:
        if value in self.empty_values or not (text := str(value).strip()):
            return None
        try:
            seconds = durations.parse(text).total_seconds()
        except ValueError as error:
            raise ValidationError(str(error), code="invalid") from None
        if self.is_above_zero and not seconds:
            raise ValidationError(_("It must be longer than 0 seconds."), code="zero")
        return seconds

    def has_changed(self, initial: Any, data: Any) -> bool:
        """`7d` and `168h` are the same."""
        try:
            return bool(self.to_python(self.prepare_value(initial)) != self.to_python(data))
        except ValidationError:
            return True


class MomentInput(forms.DateTimeInput):
    """A moment, asked for by the browser's own means: it needs no script of the admin's."""

    input_type = "datetime-local"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"step": "1", **(attrs or {})}, format="%Y-%m-%dT%H:%M:%S")


class PayloadField(forms.JSONField):
    """JSON as `enqueue()` takes it; what cannot be stored is refused, and shown as it was typed."""

    def to_python(self, value: Any) -> Any:
        try:
            given = super().to_python(value)
            jsontext.dumps(given, name=str(self.label))
        except jsontext.NotJSON as error:
            raise ValidationError(str(error), code="invalid") from None
        except (ValueError, RecursionError):
            raise ValidationError(
                _("It is nested too deeply, or has a number of too many digits."), code="invalid"
            ) from None
        return given

    def bound_data(self, data: Any, initial: Any) -> Any:
        try:
            self.to_python(data)
            return super().bound_data(data, initial)
        except ValidationError:
            return InvalidJSONInput(data)


class MomentField(forms.DateTimeField):
    """A moment that has a name in every time zone, so that every page can show it."""

    widget = MomentInput

    def to_python(self, value: Any) -> datetime | None:
        """Django turns local into absolute time here, which not every moment has."""
        try:
            moment = super().to_python(value)
        except OverflowError:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None
        if moment is not None and not EARLIEST <= moment.year <= LATEST:
            raise ValidationError(
                _("Choose a year from %(first)s to %(last)s."),
                params={"first": EARLIEST, "last": LATEST},
                code="invalid",
            )
        return moment


class NameField(forms.ChoiceField):
    """One of the names that there are; one that is gone is shown as what it is, and refused."""

    def __init__(
        self, names: Callable[[], Iterable[str]], *, none: Any = None, **kwargs: Any
    ) -> None:
        self.names = names
        self.none = [] if none is None else [("", none)]
        super().__init__(choices=self.known, required=none is None, **kwargs)

    def known(self) -> list[tuple[str, Any]]:
        return [*self.none, *((name, name) for name in sorted(self.names()))]

    def show(self, name: str) -> None:
        """Let the name be seen that is stored, whether there still is such a thing or not."""
        if name and not self.valid_value(name):
            gone = _("%(name)s (does not exist)") % {"name": name}
            self.choices = [*self.known(), (name, gone)]

    def valid_value(self, value: Any) -> bool:
        return value in dict(self.known())


def moment_of(column: str, description: Any) -> Callable[[Any], str]:
    """A field to be read: a moment, in the time zone of whoever looks, and how long ago that is."""

    @admin.display(description=description)
    def told(row: Any) -> str:
        from forge_jobs.templatetags.forge_jobs import moment, since

        at = getattr(row, column)
        return format_html("{} · {}", moment(at), since(at)) if at else ""

    return told


def in_lines(words: Iterable[object]) -> str:
    """A field to be read: a line for each."""
    return format_html_join(mark_safe("<br>"), "{}", [[word] for word in words])
