"""What has been migrated since the release before suits its code, and keeps nobody waiting."""

import re
from collections.abc import Iterator
from typing import Any, Final
from unittest import mock

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

pytestmark = pytest.mark.django_db(transaction=True)

BASE_MIGRATION: Final = "0005"
"""All that come after it have to suit those who work beside them."""

SHORT: Final = (
    r"ALTER TABLE \S+ ADD COLUMN \S+ [a-z0-9() ]+ NULL$",
    r"ALTER TABLE \S+ ADD COLUMN \S+ [a-z0-9() ]+ DEFAULT ('[^']*'(::\w+)?|\w+) NOT NULL$",
    r"ALTER TABLE \S+ ADD CONSTRAINT .* NOT VALID$",
    r"ALTER TABLE \S+ DROP CONSTRAINT IF EXISTS \S+$",
    r"ALTER INDEX \S+ RENAME TO \S+$",
)
"""What PostgreSQL does to a table of any size in no time."""

BESIDE: Final = (
    r"ALTER TABLE \S+ VALIDATE CONSTRAINT \S+$",
    r"CREATE (UNIQUE )?INDEX CONCURRENTLY ",
    r"DROP INDEX CONCURRENTLY ",
)
"""What takes its time, beside those who read and write, unless its transaction keeps a lock."""


def migrate(*target: str) -> None:
    call_command("migrate", "forge_jobs", *target, verbosity=0)


@pytest.fixture(autouse=True)
def _as_the_base_left_it() -> Iterator[None]:
    migrate(BASE_MIGRATION)
    yield
    migrate()


def tables() -> dict[str, dict[str, Any]]:
    """The columns of each table of ours."""
    introspection = connection.introspection
    with connection.cursor() as cursor:
        return {
            table: {each.name: each for each in introspection.get_table_description(cursor, table)}
            for table in introspection.table_names(cursor)
            if table.startswith("forge_jobs_")
        }


def test_what_the_release_before_reads_is_there_and_what_it_does_not_write_has_a_default() -> None:
    before = tables()

    migrate()

    after = tables()
    for table, columns in before.items():
        assert columns.keys() <= after[table].keys(), table
        for column in after[table].keys() - columns.keys():
            new = after[table][column]
            assert new.null_ok or new.default is not None, f"{table}.{column}"


@pytest.mark.skipif(connection.vendor != "postgresql", reason="on SQLite one writes at a time")
def test_nobody_waits_long_for_a_migration() -> None:
    before, file = tables().keys(), file_of_the_job_table()

    statements = migrated()

    made = "|".join(tables().keys() - before)
    of_a_new_table = re.compile(
        rf'CREATE TABLE|ALTER TABLE "({made})"|CREATE .*INDEX .* ON "({made})"'
    )
    for statement, is_alone in statements:
        if not of_a_new_table.match(statement):
            allowed = SHORT + BESIDE if is_alone else SHORT
            assert any(re.match(form, statement) for form in allowed), statement
    assert file_of_the_job_table() == file, "the table was rewritten"


def migrated() -> list[tuple[str, bool]]:
    """The statements that brought the tables to their newest form, and which had no transaction."""
    execute = BaseDatabaseSchemaEditor.execute
    statements: list[tuple[str, bool]] = []

    def noted(editor: Any, sql: Any, params: Any = ()) -> None:
        text = str(sql) % tuple(map(editor.quote_value, params)) if params else str(sql)
        statements.append((text, not connection.in_atomic_block))
        execute(editor, sql, params)

    with mock.patch.object(BaseDatabaseSchemaEditor, "execute", noted):
        migrate()
    return statements


def file_of_the_job_table() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_relation_filenode('forge_jobs_job')")
        return int(cursor.fetchone()[0])
