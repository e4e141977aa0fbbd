"""The admin of a table as a program sits at it: permissions, buttons, forms and log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

from django.contrib import admin
from django.contrib.admin.exceptions import NotRegistered
from django.db.models import Model, QuerySet
from django.http import HttpRequest, QueryDict

from forge_jobs import db
from forge_jobs.admin import (
    BatchAdmin,
    JobAdmin,
    ProcessAdmin,
    QueueAdmin,
    RateLimitBudgetAdmin,
    ScheduleAdmin,
)
from forge_jobs.admin.base import ForgeAdmin
from forge_jobs.admin.buttons import BoundButton, Refused
from forge_jobs.api.auth import TokenUser
from forge_jobs.api.problems import conflict, forbidden, invalid, not_found
from forge_jobs.api.writing import as_one
from forge_jobs.db.by_key import ByKey
from forge_jobs.models import Batch, Job, Process, Queue, RateLimitBudget, Schedule

OURS: Final[dict[type[Model], type[ForgeAdmin]]] = {
    Batch: BatchAdmin,
    Job: JobAdmin,
    Process: ProcessAdmin,
    Queue: QueueAdmin,
    RateLimitBudget: RateLimitBudgetAdmin,
    Schedule: ScheduleAdmin,
}


@dataclass(frozen=True)
class Seat:
    """What the person or token of a request may do to a table; each refusal is a `Problem`."""

    admin: ForgeAdmin
    request: HttpRequest

    @classmethod
    def of(cls, request: HttpRequest, model: type[Model]) -> Self:
        """At the project's own admin of the table, if that is one of ours."""
        ours = OURS[model]
        try:
            found = admin.site.get_model_admin(model)
        except NotRegistered:
            found = None
        return cls(found if isinstance(found, ours) else ours(model, admin.site), request)

    @classmethod
    def looking(cls, request: HttpRequest, model: type[Model]) -> Self:
        """Of somebody who may see the rows."""
        seat = cls.of(request, model)
        seat._require(seat.admin.has_view_permission(request), "view")
        return seat

    @property
    def rows(self) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.admin.get_queryset(self.request)
        return rows

    @property
    def narrows(self) -> bool:
        """Whether the project's own admin says which rows there are, maybe others each time."""
        return type(self.admin).get_queryset is not OURS[self.admin.model].get_queryset

    def row(self, rows: QuerySet[Any] | None = None, /, **lookup: Any) -> Any:
        """The only one of the rows; whether it is there is told to nobody who may not see it."""
        found = (self.rows if rows is None else rows).filter(**lookup)
        # Unsorted, unlike `first()`: half of the time.
        return self._there(next(iter(found), None), lookup.values())

    def kept_row(self, kept: ByKey[Any], pk: int) -> Any:
        """The same by its key, where the admin shows all rows."""
        return self._there(kept.get(pk, using=db.connection().alias), [pk])

    def press(self, name: str, lookup: Mapping[str, Any], **answers: Any) -> dict[str, str]:
        """Do what a button of the admin does; `detail` is what it says that it did."""
        bound: BoundButton = getattr(self.admin, name)
        is_allowed = bound.button.is_allowed(self.request)
        self._require(
            is_allowed and self.admin.has_view_permission(self.request), bound.button.permission
        )
        asked = self.asked(answers)
        if (form := bound.button.form) and not (given := form(asked.POST)).is_valid():
            raise invalid(*_faults(given))
        return {"detail": as_one(lambda: self._pressed(bound, self.row(**lookup), asked))}

    def asked(self, answers: Mapping[str, Any]) -> HttpRequest:
        """A request as a page's form would post it."""
        asked = HttpRequest()
        asked.method = "POST"
        asked.user = self.request.user
        posted = QueryDict(mutable=True)
        for key, value in answers.items():
            for one in value if isinstance(value, list) else [value]:
                posted.appendlist(key, _typed(one))
        asked.POST = posted  # type: ignore[assignment] # as mutable as it need be
        return asked

    def save(self, given: Mapping[str, Any], lookup: Mapping[str, Any] | None = None) -> Any:
        """Fill in the form of a row, or of a new one, as far as something is given for it."""
        self.require_save(lookup)
        return as_one(lambda: self._saved(given, None if lookup is None else self.row(**lookup)))

    def require_save(self, lookup: Mapping[str, Any] | None) -> None:
        if lookup is None:
            self._require(self.admin.has_add_permission(self.request), "add")
        else:
            self._require(self.admin.has_change_permission(self.request), "change")

    def delete(self, lookup: Mapping[str, Any]) -> None:
        """As the admin would: what is protected stays."""
        may = f"forge_jobs.delete_{self.admin.opts.model_name}"
        is_allowed = self.request.user.has_perm(may)
        self._require(is_allowed and self.admin.has_view_permission(self.request), "delete")
        as_one(lambda: self._delete(self.row(**lookup)))

    def _there(self, row: Any, keys: Iterable[Any]) -> Any:
        if row is None:
            name = self.admin.opts.verbose_name
            raise not_found(f"There is no such {name}: {', '.join(map(str, keys))}.")
        return row

    def _require(self, is_allowed: object, what: str) -> None:
        if not is_allowed:
            codename = what if "_" in what else f"{what}_{self.admin.opts.model_name}"
            raise forbidden(f"It takes the permission forge_jobs.{codename}.")

    @property
    def _by(self) -> str:
        """For the log, which knows users alone."""
        user: Any = self.request.user
        return f" (token {user.token.name})" if isinstance(user, TokenUser) else ""

    def _pressed(self, bound: BoundButton, row: Model, asked: HttpRequest) -> str:
        try:
            told = bound.act(self.admin, asked, row)
        except Refused as why:
            raise conflict(str(why)) from None
        if not told:
            state = getattr(row, "state", "") or "that already"
            raise conflict(f"Nothing was changed: {row} is {state}.")
        self.admin.log_change(asked, row, f"{told}{self._by}")
        return str(told)

    def _saved(self, given: Mapping[str, Any], row: Model | None) -> Any:
        form_class = self.admin.get_form(self.request, row, change=row is not None)
        sent = _as_shown(form_class(instance=row))
        for name, value in given.items():
            if name not in form_class.base_fields:
                raise invalid((name, f"{name} can't be changed here."))
            sent.pop(name, None)
            if value is not None and value is not False:
                sent[name] = _typed(value)
        form = form_class(sent, instance=row)
        if not form.is_valid():
            raise invalid(*_faults(form))
        changed = self.admin.save_form(self.request, form, change=row is not None)
        self.admin.save_model(self.request, changed, form, row is not None)
        log = self.admin.log_addition if row is None else self.admin.log_change
        log(self.request, changed, f"{', '.join(form.changed_data)}{self._by}")
        return self.row(pk=changed.pk)

    def _delete(self, row: Model) -> None:
        if not self.admin.has_delete_permission(self.request, row):
            raise conflict(f"{row} stays: it is declared, or in use.")
        *_, lacking, protected = self.admin.get_deleted_objects([row], self.request)
        self._require(not lacking, "delete")
        if protected:
            raise conflict(f"{row} stays: {'; '.join(map(str, protected))}.")
        self.admin.log_deletions(self.request, type(row)._default_manager.filter(pk=row.pk))
        self.admin.delete_model(self.request, row)


def _as_shown(form: Any) -> dict[str, str]:
    """What a browser would send of a form that nobody has touched."""
    sent = {}
    for bound in form:
        value = bound.value()
        for name in (bound.html_name, bound.html_initial_name):
            if value is not None and value is not False:
                sent[name] = _typed(value)
    return sent


def _typed(value: Any) -> str:
    match value:
        case datetime():
            return value.isoformat()
        case dict() | list():
            return json.dumps(value)
    return str(value)


def _faults(form: Any) -> list[tuple[str, str]]:
    return [
        ("body" if name == "__all__" else name, " ".join(map(str, errors)))
        for name, errors in form.errors.items()
    ]
