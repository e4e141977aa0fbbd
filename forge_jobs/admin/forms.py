"""Forms that write no more than what somebody changed."""

from __future__ import annotations

from typing import Any

from django import forms

from forge_jobs.admin.fields import NameField


class ChangedColumnsForm(forms.ModelForm):  # type: ignore[type-arg] # only in stubs
    """Remembers what it showed, so that what others changed meanwhile stays as they made it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        for name, field in self.fields.items():
            field.show_hidden_initial = True
            if isinstance(field, NameField):
                field.show(getattr(self.instance, name))

    def changed_columns(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in self.changed_data}
