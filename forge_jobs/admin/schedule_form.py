"""What operators may say of a schedule."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from forge_jobs.admin.fields import DurationField, NameField, PayloadField
from forge_jobs.admin.forms import ChangedColumnsForm
from forge_jobs.conf import conf
from forge_jobs.fields import LastingEncoder
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.secrecy import names_of, shown
from forge_jobs.models import Schedule
from forge_jobs.redaction import NothingHidden, restored


class ScheduleForm(ChangedColumnsForm):
    kind = NameField(
        registry.kinds,
        label=_("Kind"),
        help_text=_("The handler whose jobs it makes."),
        error_messages={"invalid_choice": _("No handler has the kind %(value)s.")},
    )
    payload = PayloadField(
        label=_("Payload"),
        required=False,
        initial=dict,
        encoder=LastingEncoder,
        widget=forms.Textarea({"rows": 4, "class": "vLargeTextField", "spellcheck": "false"}),
        help_text=_('Keyword arguments of the handler, as a JSON object: {"days": 30}.'),
    )
    queue = NameField(
        lambda: conf().queues,
        label=_("Queue"),
        none=_("the handler's"),
        error_messages={"invalid_choice": _("There is no queue %(value)s.")},
    )
    jitter_seconds = DurationField(
        label=_("Jitter"),
        initial=0.0,
        help_text=_("Each job runs up to so much later: 30s, 15m, or a number of seconds."),
    )

    class Meta:
        model = Schedule
        fields = (
            "name",
            "kind",
            "payload",
            "expression",
            "timezone",
            "is_enabled",
            "overlap",
            "catch_up",
            "jitter_seconds",
            "starts_at",
            "ends_at",
            "queue",
            "priority",
            "max_attempts",
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._known_kind, self._known_payload = self.instance.kind, self.instance.payload
        if "payload" in self.initial:
            self.initial["payload"] = shown(self.initial["payload"], kind=self._known_kind)

    def clean_kind(self) -> str:
        """Of what is not open to others, code alone has jobs made: what it declared may stay.

        What was shown is the client's word; what counts is what the row would have.
        """
        kind: str = self.cleaned_data["kind"]
        written = {"kind", "payload"}
        if not self.instance._state.adding:
            written &= {*self.changed_data}
        would_be = kind if "kind" in written else self._known_kind
        handler = registry.find(would_be)
        if written and handler and not handler.open_to_others:
            told = _("%(kind)s is not open to others: its handler would have to say so.")
            raise ValidationError(told, params={"kind": would_be})
        return kind

    def changed_columns(self) -> dict[str, Any]:
        """Another kind never keeps a payload of which more was hidden for the former."""
        columns = super().changed_columns()
        return columns | ({"payload": self.cleaned_data["payload"]} if "kind" in columns else {})

    def clean_payload(self) -> Any:
        """Nothing typed is no arguments; what was hidden, and left alone, stays as it is."""
        given = self.cleaned_data["payload"]
        if given is None:
            return {}
        try:
            whole = restored(given, self._known_payload, names_of(self._known_kind))
        except NothingHidden as error:
            raise ValidationError(
                _("Under “%(name)s” no value is hidden: type it."), params={"name": str(error)}
            ) from None
        if whole != given and self.cleaned_data.get("kind") != self._known_kind:
            # Another kind may hide less.
            raise ValidationError(_("With another kind, type the hidden values anew."))
        return whole
