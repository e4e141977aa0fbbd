"""Managers of row sets that have verbs of their own, such that every type checker sees the verbs.

At run time `from_queryset()` would do. But of a class that is derived from what it makes, mypy
knows nothing, with the plugin of django-stubs or without, and pyright only the manager's part.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from django.db import models

from forge_jobs.models.base import JobsManager, M

Rows = TypeVar("Rows", bound=models.QuerySet[Any], covariant=True)
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class RowsManager(JobsManager[M], Generic[M, Rows]):
    """`rows` is the class of its row sets; `verb()` lends the table one of their methods."""

    rows: type[Rows]

    def get_queryset(self) -> Rows:
        return self.rows(self.model, using=super().get_queryset().db)

    if TYPE_CHECKING:  # Django passes these on to the row set, but its stubs promise a bare one

        def all(self) -> Rows: ...
        def none(self) -> Rows: ...
        def using(self, alias: str | None) -> Rows: ...
        def filter(self, *args: Any, **kwargs: Any) -> Rows: ...
        def exclude(self, *args: Any, **kwargs: Any) -> Rows: ...
        def order_by(self, *field_names: Any) -> Rows: ...
        def distinct(self, *field_names: str) -> Rows: ...
        def defer(self, *fields: Any) -> Rows: ...
        def only(self, *fields: str) -> Rows: ...
        def select_related(self, *fields: Any) -> Rows: ...
        def prefetch_related(self, *lookups: Any) -> Rows: ...
        def select_for_update(
            self, nowait: bool = ..., skip_locked: bool = ..., of: Any = ..., no_key: bool = ...
        ) -> Rows: ...


def verb(
    of_rows: Callable[Concatenate[Rows, Arguments], Result],
) -> Callable[Concatenate[RowsManager[Any, Rows], Arguments], Result]:
    """A row set's method as one of its manager."""

    @wraps(of_rows)
    def of_table(
        manager: RowsManager[Any, Rows], /, *args: Arguments.args, **kwargs: Arguments.kwargs
    ) -> Result:
        return of_rows(manager.get_queryset(), *args, **kwargs)

    return of_table
