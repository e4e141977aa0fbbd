"""What all tables share: where they live, and how their queries reach partial indexes."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.base import ModelState
from django.db.models.signals import ModelSignal, post_init, pre_init

from forge_jobs.conf import conf

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper
    from django.db.models.sql.compiler import SQLCompiler

M = TypeVar("M", bound=models.Model)


class JobsManager(models.Manager[M]):
    """Goes to the job database, whatever a router says, unless told otherwise by `using()`."""

    @property
    def db(self) -> str:
        instance = self._hints.get("instance")  # type: ignore[attr-defined] # not in stubs
        return self._db or _home_of(instance)

    def get_queryset(self) -> models.QuerySet[M]:
        return super().get_queryset().using(self.db)


class JobsModel(models.Model):
    """Lives in the job database, whatever a router says; a row stays where it was loaded from."""

    objects: ClassVar[JobsManager[Self]] = JobsManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"  # which Django asks for related rows, and to refresh one

    def save(self, *, using: str | None = None, **options: Any) -> None:
        super().save(using=using or _home_of(self), **options)

    def delete(
        self, using: str | None = None, keep_parents: bool = False
    ) -> tuple[int, dict[str, int]]:
        return super().delete(using or _home_of(self), keep_parents)

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """As Django's own, which would ask a router where to look."""
        errors: dict[str, list[ValidationError]] = {}
        without = set(exclude or ())
        for model, constraints in self.get_constraints():
            for constraint in constraints:
                try:
                    constraint.validate(model, self, exclude=without, using=_home_of(self))
                except ValidationError as error:
                    errors = error.update_error_dict(errors)
        if errors:
            raise ValidationError(errors)


def loaded(model: type[M], columns: dict[str, Any], *, database: str) -> M:
    """A row of which all columns are known, in their order; as `from_db()` makes it.

    Nobody is called for each column, nor asked for what was put into one: that takes longest.
    """
    if _is_heard(pre_init, model) or _is_heard(post_init, model):
        return model.from_db(database, [*columns], [*columns.values()])
    row = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, database
    row.__dict__ = {"_state": state, **columns}
    return row


def _is_heard(signal: ModelSignal, model: type[M]) -> bool:
    return bool(signal.receivers) and signal.has_listeners(model)


def _home_of(row: models.Model | None) -> str:
    """The database of a row, or of those that it refers to.

    A new one has none yet: a router may have named one, because the row refers to another.
    """
    if isinstance(row, JobsModel) and not row._state.adding and row._state.db:
        return row._state.db
    return conf().database


class Constant(models.Value):
    """A text that stands in the SQL itself: SQLite takes no partial index on a parameter's word."""

    def as_sql(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper
    ) -> tuple[str, tuple[str | int, ...]]:
        return "'{}'".format(str(self.value).replace("'", "''")), ()


def constants(values: Iterable[str]) -> list[Constant]:
    return [Constant(value) for value in values]
