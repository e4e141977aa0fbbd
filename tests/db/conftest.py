"""A session as threads of ours have them, and what the server keeps for one."""

from collections.abc import Iterator

import pytest
from django.db import connection

from forge_jobs import db


@pytest.fixture
def _ours() -> Iterator[None]:
    """A session as our own threads have them; on PostgreSQL, the server keeps statements for it."""
    connection.close()
    connection.ensure_connection()
    assert db.twin().furnish(connection.connection, db.twin().LIMITS)
    yield
    connection.close()


def names_of_kept() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM pg_prepared_statements ORDER BY name")
        return [name for (name,) in cursor.fetchall()]
