"""What operators may change of a queue, and what each of it does."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from forge_jobs.admin.fields import DurationField, NameField
from forge_jobs.admin.forms import ChangedColumnsForm
from forge_jobs.models import Queue, RateLimitBudget


class QueueForm(ChangedColumnsForm):
    budget = NameField(
        RateLimitBudget.objects.names,
        none=_("none: as many as can be run"),
        error_messages={"invalid_choice": _("There is no budget %(value)s.")},
        label=_("Budget"),
        help_text=_("Each of its jobs takes one token of it before it starts."),
    )
    retry_base_seconds = DurationField(
        label=_("First delay"),
        required=False,
        is_above_zero=True,
        help_text=_(
            "A failed job is tried again after so long, then after twice as long each time. "
            "Empty: as the code says."
        ),
    )
    retry_cap_seconds = DurationField(
        label=_("Longest delay"),
        required=False,
        is_above_zero=True,
        help_text=_("The delays grow no further. It counts beside a first delay only."),
    )
    throttle_base_seconds = DurationField(
        label=_("First cooling"),
        help_text=_(
            "When a handler is throttled the queue rests for so long, then for twice as long each "
            "time in a row."
        ),
    )
    throttle_cap_seconds = DurationField(
        label=_("Longest cooling"),
        help_text=_("Unless the other side asks for more."),
    )
    retain_succeeded_seconds = DurationField(
        label=_("Keep succeeded for"),
        required=False,
        help_text=_("Then they are deleted. 0: at once. Empty: never."),
    )
    retain_failed_seconds = DurationField(
        label=_("Keep dead and cancelled for"),
        required=False,
        help_text=_("Then they are deleted. Empty: never."),
    )

    class Meta:
        model = Queue
        fields = (
            "max_workers",
            "budget",
            "retries",
            "retry_base_seconds",
            "retry_cap_seconds",
            "throttle_base_seconds",
            "throttle_cap_seconds",
            "retain_succeeded_seconds",
            "retain_failed_seconds",
        )
        labels: ClassVar = {
            "max_workers": _("Workers at most"),
            "retries": _("Try failed jobs again"),
        }
        help_texts: ClassVar = {
            "max_workers": _(
                "How many of its jobs run at once, in all processes together. What runs now "
                "finishes. 0: none is started. Empty: no limit."
            ),
            "retries": _("If not, a job that fails is dead at once."),
        }

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for first, longest in (
            ("retry_base_seconds", "retry_cap_seconds"),
            ("throttle_base_seconds", "throttle_cap_seconds"),
        ):
            shorter, longer = values.get(first), values.get(longest)
            if shorter is not None and longer is not None and longer < shorter:
                self.add_error(longest, ValidationError(_("It is shorter than the first one.")))
        return values
