"""Reads one row by a key, with a statement that the ORM writes once for each session.

To write it anew takes the ORM several times as long as all the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connections, models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import QuerySet

M = TypeVar("M", bound=models.Model)

KEPT: Final = "forge_jobs_statements"


class ByKey(Generic[M]):
    """`rows` looks for the one in a database, by its alias and a key, which `field` keeps.

    But for the key they are the same each time, without related rows and other parameters.
    """

    def __init__(
        self,
        rows: Callable[[str, Any], QuerySet[M]],
        field: Callable[[], models.Field[Any, Any]],
    ) -> None:
        self._rows = rows
        self._field = field

    def get(self, key: object, *, using: str) -> M | None:
        """The row, if it is there; raises as the field does where the key can be none."""
        kept = _kept_with(connections[using])
        if (statement := kept.get(self)) is None:
            try:
                statement = _Statement(self._rows(using, key).order_by(), self._field())
            except EmptyResultSet:  # the ORM knows that there is no such row
                return None
            kept[self] = statement
        row: M | None = statement.row(key)
        return row


def _kept_with(session: BaseDatabaseWrapper) -> dict[ByKey[Any], _Statement[Any]]:
    """They go when it goes; anywhere else they would keep it."""
    kept: dict[ByKey[Any], _Statement[Any]] = session.__dict__.setdefault(KEPT, {})
    return kept


class _Statement(Generic[M]):
    """What a compiler of the ORM has found out, kept; of a session, as its converters are."""

    def __init__(self, rows: QuerySet[M], field: models.Field[Any, Any]) -> None:
        self._field: Final = field
        self._compiler: Final[Any] = rows.query.get_compiler(rows.db)
        self._sql, (_,) = self._compiler.as_sql()
        columns = [column for column, *_ in self._compiler.select]
        chosen = self._compiler.klass_info["select_fields"]
        self._model: type[M] = self._compiler.klass_info["model"]
        self._columns: Final = slice(chosen[0], chosen[-1] + 1)
        self._names: Final = [column.target.attname for column in columns[self._columns]]
        self._converters: Final = self._compiler.get_converters(columns)

    def row(self, key: object) -> M | None:
        session = self._compiler.connection
        with session.cursor() as cursor:
            cursor.execute(self._sql, [self._field.get_db_prep_value(key, session)])
            found = cursor.fetchone()
        if found is None:
            return None
        (values,) = self._compiler.apply_converters([found], self._converters)
        row = self._model.from_db(session.alias, self._names, values[self._columns])
        for name, place in self._compiler.annotation_col_map.items():
            setattr(row, name, values[place])
        return row
