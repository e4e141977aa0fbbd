"""Migrations that are broken off are run again."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

pytestmark = pytest.mark.django_db(transaction=True)

STATEMENTS = 5


class BrokenOff(Exception):
    pass


def migrate(*target: str) -> None:
    call_command("migrate", "forge_jobs", *target, verbosity=0)


def migrate_until(statement: int, target: str) -> None:
    execute, done = BaseDatabaseSchemaEditor.execute, iter(range(statement))

    def limited(editor: Any, sql: Any, *args: Any, **options: Any) -> None:
        if next(done, None) is None:
            raise BrokenOff
        execute(editor, sql, *args, **options)

    with mock.patch.object(BaseDatabaseSchemaEditor, "execute", limited):
        migrate(target)


def indexes() -> dict[str, Any]:
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, "forge_jobs_job")


@pytest.fixture(autouse=True)
def _leave_whole() -> Iterator[None]:
    yield
    migrate()


def test_one_that_is_broken_off_anywhere_is_run_again_to_its_end_and_back() -> None:
    whole = indexes()
    for target, back in ("0012", "0011"), ("0011", "0012"):
        for statement in range(STATEMENTS):
            migrate(back)
            try:
                migrate_until(statement, target)
            except BrokenOff:
                migrate(target)
    migrate()

    assert indexes() == whole
