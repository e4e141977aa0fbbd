"""Rows that settings declare and operators change: neither overwrites the other unasked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self, TypeVar

from django.db import models
from django.utils.translation import gettext_lazy as _

from forge_jobs.fields import LastingJSONField
from forge_jobs.models.base import JobsManager, JobsModel

S = TypeVar("S", bound="SeededModel")


class SeededManager(JobsManager[S]):
    def sow(self, declared: Mapping[str, Mapping[str, Any]]) -> None:
        """Store what settings declare, by name.

        A column that an operator changed is left alone until its declaration changes, too. What
        is declared no longer stays as it is.
        """
        known = {row.name: row for row in self.filter(name__in=declared)}
        new = [
            self.model.planted(name, values)
            for name, values in declared.items()
            if name not in known
        ]
        self.bulk_create(new, ignore_conflicts=True)
        for name, row in known.items():
            values, seed = declared[name], self.model.as_seed(declared[name])
            if row.seed != seed:
                changed = {key: values[key] for key in values if row.follows(key, seed[key])}
                self.filter(pk=row.pk, seed=row.seed).update(seed=seed, **row.sown(changed))


class SeededModel(JobsModel):
    name = models.CharField(_("name"), max_length=100, unique=True)
    seed = LastingJSONField(
        _("seed"),
        default=dict,
        editable=False,
        help_text=_("What settings declared when they were last read."),
    )

    objects: ClassVar[SeededManager[Self]] = SeededManager()

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.name

    @classmethod
    def planted(cls, name: str, values: Mapping[str, Any]) -> Self:
        """The row of a declaration that is new."""
        return cls(name=name, seed=cls.as_seed(values), **values)

    @classmethod
    def as_seed(cls, values: Mapping[str, Any]) -> dict[str, Any]:
        """The declared values as JSON keeps them."""
        return dict(values)

    def follows(self, column: str, value: Any) -> bool:
        """Whether a newly declared value goes for this row: the declaration is what changed."""
        return column not in self.seed or bool(self.seed[column] != value)

    def sown(self, changes: dict[str, Any]) -> dict[str, Any]:
        """What else is written when the declaration changes these columns of the row."""
        return changes
