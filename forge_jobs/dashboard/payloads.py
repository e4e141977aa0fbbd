"""Payloads in short, for lists: what tells one job from the next, and nothing that is hidden."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Case, F, Func, IntegerField, TextField, When
from django.db.models.functions import Cast, Left
from django.db.models.lookups import LessThanOrEqual
from django.db.models.sql.compiler import SQLCompiler

from forge_jobs.handlers.secrecy import shown

LARGEST: Final = 2_000
"""A larger payload is not even fetched for a list."""
LONGEST_VALUE: Final = 40
LONGEST: Final = 120


class StoredSize(Func):
    """Bytes as PostgreSQL stores them, which it knows without reading; on SQLite, characters."""

    function = "pg_column_size"
    output_field = IntegerField()

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **options: Any
    ) -> Any:
        return self.as_sql(compiler, connection, function="length", **options)


def short_payload() -> Case:
    """As a column of a query: the payload's text, or NULL if it is large.

    A text, for a value may be too deep to be read; and cut, for it is its compressed size that
    PostgreSQL knows.
    """
    is_short = LessThanOrEqual(StoredSize(F("payload")), LARGEST)
    text = Left(Cast("payload", TextField()), LARGEST)
    return Case(When(is_short, then=text), output_field=TextField())


def in_short(payload: Any, *, kind: str) -> str:
    """`picture_id=658 size=large`; empty for no payload, or one that was not fetched."""
    if not isinstance(payload, Mapping):
        return ""
    flat = {key: _flat(value) for key, value in payload.items()}
    told = " ".join(f"{key}={value}" for key, value in shown(flat, kind=kind).items())
    return _cut(told, LONGEST)


def _flat(value: Any) -> str:
    """Without what is inside of lists and objects: something of it may be hidden."""
    match value:
        case None:
            return "null"
        case bool():
            return str(value).lower()
        case list():
            return "[…]" if value else "[]"
        case dict():
            return "{…}" if value else "{}"
    return _cut(" ".join(str(value).split()), LONGEST_VALUE)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
