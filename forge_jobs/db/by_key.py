"""Reads one row by a key, as an object, by a statement that the ORM has written once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import models
from django.db.models import QuerySet

from forge_jobs.db.written_once import kept

M = TypeVar("M", bound=models.Model)


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

        def written(using: str) -> _Statement[M]:
            return _Statement(self._rows(using, key).order_by(), self._field())

        try:
            row: M | None = kept(self, written, using=using).row(key)
        except EmptyResultSet:  # the ORM knows that there is no such row
            return None
        return row


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
