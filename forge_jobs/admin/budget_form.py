"""The forms of a budget: its size, and for how long it is drained."""

from __future__ import annotations

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from forge_jobs.admin.fields import DurationField
from forge_jobs.admin.forms import ChangedColumnsForm
from forge_jobs.conf.bounds import LEAST_TOKENS, MOST_TOKENS
from forge_jobs.models import RateLimitBudget


class BudgetForm(ChangedColumnsForm):
    class Meta:
        model = RateLimitBudget
        fields = ("name", "capacity", "refill_per_second")

    def clean_capacity(self) -> float:
        return self._above_zero("capacity")

    def clean_refill_per_second(self) -> float:
        return self._above_zero("refill_per_second")

    def _above_zero(self, name: str) -> float:
        given: float = self.cleaned_data[name]
        if not LEAST_TOKENS <= given < MOST_TOKENS:
            raise ValidationError(
                _("It must be a number from %(least)s up to %(most)s."),
                params={"least": f"{LEAST_TOKENS:.9f}", "most": f"{MOST_TOKENS:,.0f}"},
            )
        return given


class DrainForm(forms.Form):
    pause = DurationField(
        label=_("For how long"),
        initial=60.0,
        help_text=_("30s, 15m, 12h, 7d, or a number of seconds; 0 only empties it."),
    )
