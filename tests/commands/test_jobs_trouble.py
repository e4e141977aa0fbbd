"""`manage.py jobs` where the settings or the database don't let it work."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from tests.commands.conftest import Jobs


@pytest.fixture
def empty_database(
    tmp_path: Path, settings: Settings, django_db_blocker: DjangoDbBlocker
) -> Iterator[Path]:
    """Jobs live in a database of their own, in which there is nothing yet."""
    path = tmp_path / "empty.sqlite3"
    sqlite = {"ENGINE": "django.db.backends.sqlite3", "NAME": path, "OPTIONS": {}}
    connections.databases["empty"] = connections.databases["default"] | sqlite
    settings.FORGE_JOBS = settings.FORGE_JOBS | {"DATABASE": "empty"}
    with django_db_blocker.unblock():
        yield path
    connections["empty"].close()
    del connections["empty"], connections.databases["empty"]


VERBS = [["status"], ["health"], ["show", "1"], ["retry", "1"], ["enqueue", "app.noop"]]


@pytest.mark.usefixtures("empty_database")
@pytest.mark.parametrize("words", VERBS, ids=str)
def test_a_database_that_is_not_migrated_is_told_in_one_line(jobs: Jobs, words: list[str]) -> None:
    with pytest.raises(CommandError, match=r"no such table: \w+\. Run manage.py migrate\.$"):
        jobs(*words)


@pytest.mark.parametrize("words", VERBS, ids=str)
def test_a_database_that_can_not_be_reached_is_told_in_one_line(
    jobs: Jobs, empty_database: Path, words: list[str]
) -> None:
    empty_database.mkdir()

    with pytest.raises(
        CommandError, match=r"^The job database can't be used: unable to open [^\n]*$"
    ):
        jobs(*words)


def test_a_setting_that_is_wrong_is_told_in_one_line(jobs: Jobs, settings: Settings) -> None:
    for wrong, message in (({"THREADS": 0}, "THREADS"), ({"DATABASE": "typo"}, "'typo'")):
        settings.FORGE_JOBS = wrong
        with pytest.raises(CommandError, match=message):
            jobs("status")


@pytest.mark.django_db
def test_who_reads_no_further_is_told_no_more() -> None:
    reader, writer = os.pipe()
    os.close(reader)

    with os.fdopen(writer, "w") as pipe, pytest.raises(SystemExit, match="1"):
        call_command("jobs", "list", stdout=pipe)
