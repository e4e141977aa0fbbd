"""What is asked again and again, in statements that the ORM writes once for each session.

To write one anew takes the ORM several times as long as all the rest, and after a second at rest,
when no cache knows its code any more, longer still.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Self

from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Expression, QuerySet
from django.db.models.sql import UpdateQuery

KEPT: Final = "forge_jobs_written_once"


class Later(Expression):
    """Stands in a query for a value of a field, which is told by name at each execution."""

    def __init__(self, name: str, field: models.Field[Any, Any]) -> None:
        super().__init__(output_field=field)
        self.name = name
        self._field = field

    @classmethod
    def of(cls, model: type[models.Model], field: str, *, name: str = "") -> Self:
        """Named as the field, unless it has another name."""
        return cls(name or field, model._meta.get_field(field))  # type: ignore[arg-type] # no relation

    def as_sql(self, compiler: Any, connection: BaseDatabaseWrapper) -> tuple[str, tuple[Any, ...]]:
        return "%s", (self,)

    def of_this_time(self, told: dict[str, Any], session: BaseDatabaseWrapper) -> Any:
        return self._field.get_db_prep_value(told[self.name], session)


class _Stored(Later):
    """The same of a value that a column is to have."""

    def of_this_time(self, told: dict[str, Any], session: BaseDatabaseWrapper) -> Any:
        return self._field.get_db_prep_save(told[self.name], session)


Moment = datetime | Later


class RowsWrittenOnce:
    """Reads `rows()`, which are those of a `values_list()` of several columns."""

    def __init__(self, rows: Callable[[], QuerySet[Any, Any]]) -> None:
        self._rows = rows

    def read(self, *, using: str, **told: Any) -> list[tuple[Any, ...]]:
        """All of them, where these are the values that come `Later`."""
        rows: list[tuple[Any, ...]] = kept(self, self._written, using=using).rows(told)
        return rows

    def _written(self, using: str) -> _Reading:
        return _Reading(self._rows().using(using))


class UpdateWrittenOnce:
    """Changes `rows()` to what is told of these columns."""

    def __init__(self, rows: Callable[[], QuerySet[Any, Any]], columns: Sequence[str]) -> None:
        self._rows = rows
        self._columns = columns

    def carry_out(self, *, using: str, **told: Any) -> int:
        """Returns how many rows it has changed."""
        count: int = kept(self, self._written, using=using).count(told)
        return count

    def _written(self, using: str) -> _Statement:
        rows = self._rows().using(using)
        query: Any = rows.query.chain(UpdateQuery)
        query.add_update_values({name: _Stored.of(rows.model, name) for name in self._columns})
        return _Statement(query.get_compiler(using))


class _Statement:
    """What a compiler of the ORM has found out; of a session, as its ways of telling values are."""

    def __init__(self, compiler: Any) -> None:
        self._session: Final[BaseDatabaseWrapper] = compiler.connection
        self._sql, self._parameters = compiler.as_sql()

    def count(self, told: dict[str, Any]) -> int:
        with self._session.cursor() as cursor:
            cursor.execute(self._sql, self._values(told))
            return int(cursor.rowcount)

    def _values(self, told: dict[str, Any]) -> list[Any]:
        return [
            one.of_this_time(told, self._session) if isinstance(one, Later) else one
            for one in self._parameters
        ]


class _Reading(_Statement):
    def __init__(self, rows: QuerySet[Any, Any]) -> None:
        self._compiler: Final[Any] = rows.query.get_compiler(rows.db)
        super().__init__(self._compiler)
        columns = [column for column, *_ in self._compiler.select[: self._compiler.col_count]]
        self._converters: Final = self._compiler.get_converters(columns)

    def rows(self, told: dict[str, Any]) -> list[tuple[Any, ...]]:
        with self._session.cursor() as cursor:
            cursor.execute(self._sql, self._values(told))
            found: list[tuple[Any, ...]] = cursor.fetchall()
        if not self._converters:
            return found
        return [tuple(row) for row in self._compiler.apply_converters(found, self._converters)]


def kept(asker: object, write: Callable[[str], Any], *, using: str) -> Any:
    """With the session's wrapper statements go when it goes; anywhere else they would keep it."""
    statements: dict[object, Any] = connections[using].__dict__.setdefault(KEPT, {})
    if (statement := statements.get(asker)) is None:
        statement = statements[asker] = write(using)
    return statement
