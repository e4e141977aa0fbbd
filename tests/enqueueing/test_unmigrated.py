"""An enqueue where the table is not there yet, as in a data migration: it says what to add."""

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.migrations.loader import MigrationLoader

from forge_jobs import enqueue, enqueue_many
from forge_jobs.enqueueing.enqueue import NewJob
from forge_jobs.enqueueing.unmigrated import newest
from forge_jobs.exceptions import NotMigrated
from tests.app.jobs import noop

pytestmark = pytest.mark.django_db

DEPENDENCY = f'add ("forge_jobs", "{newest()}") to its dependencies'


def drop_the_table() -> None:
    """For the rest of the transaction."""
    cascade = " CASCADE" if connection.vendor == "postgresql" else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE forge_jobs_job{cascade}")


def test_a_data_migration_is_told_which_dependency_it_lacks() -> None:
    drop_the_table()

    with pytest.raises(NotMigrated) as refusal, transaction.atomic():
        enqueue("app.noop")

    assert DEPENDENCY in str(refusal.value)
    assert isinstance(refusal.value.__cause__, DatabaseError)


def test_so_is_one_that_comes_before_a_column() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE forge_jobs_job RENAME COLUMN concurrency_key TO former")

    with pytest.raises(NotMigrated, match="lacks tables or columns"):
        enqueue_many([NewJob(noop), NewJob(noop)])


def test_other_refusals_of_the_database_stay_what_they_are() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE forge_jobs_job ADD COLUMN more integer NOT NULL DEFAULT 1")
        if connection.vendor == "sqlite":
            cursor.execute(
                "CREATE TRIGGER no_more BEFORE INSERT ON forge_jobs_job "
                "BEGIN SELECT raise(ABORT, 'no more'); END"
            )
        else:
            cursor.execute("ALTER TABLE forge_jobs_job ADD CHECK (more > 1) NOT VALID")

    with pytest.raises(DatabaseError):
        enqueue(noop)


def test_the_newest_migration_is_the_one_to_depend_on() -> None:
    assert MigrationLoader(None).graph.leaf_nodes("forge_jobs") == [("forge_jobs", newest())]
