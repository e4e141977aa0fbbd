"""The filter of the job list: what its address may say, and what that means."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final

from django import forms
from django.core.exceptions import ValidationError
from django.utils.dateparse import parse_date, parse_datetime
from django.utils.timezone import get_current_timezone, is_naive, make_aware
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from forge_jobs import durations
from forge_jobs.models import State
from forge_jobs.operations.selection import Selection

LARGEST_ID: Final = 2**63 - 1
NUMBERED: Final = re.compile(r"#(\d{1,18})$")


class MomentField(forms.CharField):
    """A moment, or how long ago it was: `30m`, `24h`, `7d`."""

    def __init__(self, *, now: datetime, **options: Any) -> None:
        super().__init__(max_length=40, required=False, **options)
        self.now = now

    def clean(self, value: Any) -> datetime | None:
        text = super().clean(value)
        if not text:
            return None
        try:
            if text[-1] in durations.WORDS:
                return self.now - durations.parse(text)
            return _moment(text).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ValidationError(
                _("“%(text)s” is neither an age such as 30m or 7d, nor a moment such as %(now)s."),
                params={"text": text, "now": self.now.strftime("%Y-%m-%d %H:%M")},
            ) from None


class JobFilter(forms.Form):
    """Each field is a parameter of the list's address; all are optional."""

    state = forms.ChoiceField(required=False, label=gettext_lazy("State"))
    queue = forms.ChoiceField(required=False, label=gettext_lazy("Queue"))
    kind = forms.CharField(required=False, max_length=201, label=gettext_lazy("Kind"))
    label = forms.CharField(required=False, max_length=100, label=gettext_lazy("Label"))
    error = forms.CharField(
        required=False, max_length=201, strip=False, label=gettext_lazy("Error")
    )
    batch = forms.IntegerField(
        required=False, min_value=1, max_value=LARGEST_ID, label=gettext_lazy("Batch")
    )
    q = forms.CharField(required=False, max_length=200, label=gettext_lazy("Text"))

    def __init__(self, data: Any, *, queues: Iterable[str], now: datetime) -> None:
        super().__init__(data)
        self.now = now
        self.fields["state"] = _choice(_("State"), _("all states"), State.choices)
        self.fields["queue"] = _choice(
            _("Queue"), _("all queues"), [(queue, queue) for queue in sorted(queues)]
        )
        self.fields["since"] = MomentField(label=_("Since"), now=now)
        self.fields["until"] = MomentField(label=_("Until"), now=now)

    def selection(self) -> Selection:
        said = self.cleaned_data
        numbered = NUMBERED.match(said["q"])
        return Selection(
            states=[State(said["state"])] if said["state"] else list(State),
            ids=[int(numbered[1])] if numbered else None,
            queue=said["queue"] or None,
            kind=said["kind"] or None,
            batch=said["batch"],
            label=said["label"] or None,
            since=said["since"],
            until=said["until"],
            error_line=said["error"] or None,
            text=said["q"] if said["q"] and not numbered else None,
        )

    def in_words(self) -> list[str]:
        """What is asked for, part by part; empty if all jobs are."""
        words = []
        for name, field in self.fields.items():
            if self.cleaned_data.get(name):
                label = str(field.label).lower()
                words.append(f"{label} {self.data[name].strip()}")
        return words

    def faults(self) -> list[str]:
        """What cannot be understood, by field."""
        return [
            f"{self.fields[name].label}: {' '.join(map(str, errors))}"
            for name, errors in self.errors.items()
        ]


def _choice(label: str, none: str, choices: Iterable[tuple[str, Any]]) -> forms.ChoiceField:
    return forms.ChoiceField(required=False, label=label, choices=[("", none), *choices])


def _moment(text: str) -> datetime:
    moment = parse_datetime(text)
    if moment is None:
        day = parse_date(text)
        if day is None:
            raise ValueError(text)
        moment = datetime(day.year, day.month, day.day)  # noqa: DTZ001 - made aware below
    return make_aware(moment, get_current_timezone()) if is_naive(moment) else moment
