"""Whose a token is: both rows in one statement, wherever one database has them."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any, Final

from django.contrib.auth import get_user_model
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import BigIntegerField, Field, Func, IntegerField, Manager, QuerySet
from django.db.models.expressions import Col
from django.db.models.lookups import Exact
from django.db.models.sql.compiler import SQLCompiler

from forge_jobs.db.by_key import ByKey
from forge_jobs.models import ApiToken
from forge_jobs.models.token import key_of, proven

TOKENS: Final = ApiToken._meta.db_table
FIELDS: Final[dict[str, Field[Any, Any]]] = {
    f"forge_jobs_token_{field.attname}": field for field in ApiToken._meta.concrete_fields
}
ABSENT: Final = (ObjectDoesNotExist, ValueError, OverflowError, ValidationError)
"""What it may be to look for an owner: users may have had other keys when the token was made."""


def bearer(text: str, *, now: datetime) -> tuple[ApiToken, Any] | None:
    """A token that is good, and its owner, who is still there and active."""
    key = key_of(text)
    users = get_user_model()._default_manager
    together = _together(users) if users.db == ApiToken.objects.db else None
    token, owner = None, None
    if key and together:
        token, owner = _parted(together.get(key, using=users.db))
    elif key:
        token = ApiToken.objects.filter(key=key).first()
    if (token := proven(token, text, now=now)) is None:
        return None
    if not together:
        owner = _owner(users, token)
    return (token, owner) if owner and owner.is_active else None


def _owner(users: Manager[Any], token: ApiToken) -> Any:
    try:
        return users.get(pk=token.owner_key)
    except ABSENT:
        return None


@cache
def _together(users: Manager[Any]) -> ByKey[Any] | None:
    """None if the project's manager may look elsewhere each time, or if keys are no numbers.

    Those of a project's own field may be written otherwise, whatever they are stored as.
    """
    is_djangos = type(users).get_queryset is Manager.get_queryset
    if not (is_djangos and type(users.all()) is QuerySet):
        return None
    key = users.model._meta.pk
    if not (isinstance(key, IntegerField) and type(key).__module__.startswith("django.")):
        return None

    def rows(using: str, key: str) -> QuerySet[Any]:
        columns = {name: Col(TOKENS, field) for name, field in FIELDS.items()}
        beside: Any = users.using(using).extra(tables=[TOKENS])  # noqa: S610 - no words of others
        found: QuerySet[Any] = beside.annotate(**columns).filter(
            Exact(_column("key"), key), pk=_Number(_column("owner_key"))
        )
        return found

    return ByKey(rows, lambda: _field("key"))


def _parted(owner: Any) -> tuple[ApiToken | None, Any]:
    if owner is None:
        return None, None
    values = [vars(owner).pop(name) for name in FIELDS]
    names = [field.attname for field in FIELDS.values()]
    return ApiToken.from_db(owner._state.db, names, values), owner


def _field(name: str) -> Field[Any, Any]:
    return next(field for field in FIELDS.values() if field.attname == name)


def _column(name: str) -> Col:
    return Col(TOKENS, _field(name))


class _Number(Func):
    """A text as the number that it was written from; NULL if it was none."""

    output_field = BigIntegerField()
    template = """CASE
        WHEN %(expressions)s ~ '^(0|-?[1-9][0-9]{0,18})$'
            AND lpad(ltrim(%(expressions)s, '-'), 19, '0') <= '9223372036854775807' COLLATE "C"
        THEN %(expressions)s::bigint
    END"""
    sqlite_template = """CASE
        WHEN CAST(CAST(%(expressions)s AS INTEGER) AS TEXT) = %(expressions)s
        THEN CAST(%(expressions)s AS INTEGER)
    END"""

    def as_sqlite(
        self, compiler: SQLCompiler, connection: BaseDatabaseWrapper, **options: Any
    ) -> Any:
        return self.as_sql(compiler, connection, template=self.sqlite_template, **options)
