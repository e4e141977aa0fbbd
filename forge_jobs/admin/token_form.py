"""What is said of a token when it is made: what it may, for whom, and for how long."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from django import forms
from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from forge_jobs.admin.fields import DurationField
from forge_jobs.handlers.registry import registry
from forge_jobs.models import ApiToken
from forge_jobs.wording import listed, meant

SCOPES: Final[dict[str | Promise, dict[str, str | Promise]]] = {
    _("Jobs"): {
        "view_job": _("See jobs, status, health and metrics"),
        "add_job": _("Enqueue kinds that are declared with api=True"),
        "retry_job": _("Requeue jobs, and run them now"),
        "cancel_job": _("Cancel jobs"),
        "kill_job": _("Kill jobs"),
        "delete_job": _("Delete jobs"),
    },
    _("Queues"): {
        "view_queue": _("See queues"),
        "pause_queue": _("Pause, resume and cool off queues"),
        "change_queue": _("Change limits of queues"),
        "delete_queue": _("Delete queues that are no longer declared"),
    },
    _("Processes"): {
        "view_process": _("See processes"),
        "stop_process": _("Stop processes, and make them quiet"),
    },
    _("Batches"): {
        "view_batch": _("See batches"),
        "change_batch": _("Seal batches"),
    },
    _("Schedules"): {
        "view_schedule": _("See schedules"),
        "trigger_schedule": _("Trigger, enable and disable schedules"),
        "add_schedule": _("Add schedules"),
        "change_schedule": _("Change schedules"),
        "delete_schedule": _("Delete schedules"),
    },
    _("Budgets"): {
        "view_ratelimitbudget": _("See budgets"),
        "drain_ratelimitbudget": _("Drain and refill budgets"),
        "add_ratelimitbudget": _("Add budgets"),
        "change_ratelimitbudget": _("Change budgets"),
        "delete_ratelimitbudget": _("Delete budgets"),
    },
}
"""The permissions that a token may have, by the tab that they belong to."""

LABELS: Final = {name: label for group in SCOPES.values() for name, label in group.items()}


class ApiTokenForm(forms.ModelForm):  # type: ignore[type-arg] # only in stubs
    user: Any
    """Who makes it, set by the admin."""

    permissions = forms.MultipleChoiceField(
        label=_("May"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("Never more than whoever it acts for: what they lose, it loses."),
    )
    kinds = forms.CharField(
        label=_("May also enqueue"),
        required=False,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false"}),
        help_text=_(
            "Kinds, one a line, whether they are declared with api=True or not. It takes the "
            "permission to add jobs of whoever it acts for."
        ),
    )
    good_for = DurationField(
        label=_("Good for"),
        required=False,
        initial=90 * 86_400.0,
        is_above_zero=True,
        help_text=_("Such as 12h or 90d. Empty: until somebody revokes it."),
    )
    acts_for = forms.CharField(
        label=_("Acts for"),
        required=False,
        max_length=200,
        help_text=_("A user's name. Empty: you. It needs to be one of the staff."),
    )

    class Meta:
        model = ApiToken
        fields: ClassVar = ("name",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        if not self.user.is_superuser:
            del self.fields["acts_for"]  # whatever the page shows, a form takes what is sent
        choices = self.fields["permissions"]
        choices.choices = [  # type: ignore[attr-defined] # a choice field
            (group, [one for one in names.items() if self.user.has_perm(f"forge_jobs.{one[0]}")])
            for group, names in SCOPES.items()
        ]

    def clean_kinds(self) -> list[str]:
        kinds = sorted({line.strip() for line in self.cleaned_data["kinds"].splitlines()} - {""})
        for kind in kinds:
            handler = registry.find(kind)
            if handler is None:
                told = _("No handler has the kind %(kind)s.%(meant)s Known are %(known)s.")
                known = registry.kinds()
                words = {"kind": kind, "meant": meant(kind, known), "known": listed(known)}
                raise ValidationError(told, params=words)
            if not handler.open_to_others:
                told = _("%(kind)s is not open to others: its handler would have to say so.")
                raise ValidationError(told, params={"kind": kind})
        return kinds

    def clean_acts_for(self) -> Any:
        """The user; only a superuser may name another one."""
        name = self.cleaned_data.get("acts_for")
        if not name or name == self.user.get_username():
            return self.user
        users = get_user_model()._default_manager
        found = users.filter(**{get_user_model().USERNAME_FIELD: name}).first()
        if found is None or not (found.is_active and getattr(found, "is_staff", False)):
            raise ValidationError(_("There is no active member of the staff of that name."))
        return found

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not self.errors and not (values.get("permissions") or values.get("kinds")):
            raise ValidationError(_("It could do nothing: choose what it may."))
        return values
