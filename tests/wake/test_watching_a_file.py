"""SQLite: a commit is noticed by whichever way the system offers, and a stop ends the watch."""

import sqlite3
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from django.db import connection

from forge_jobs.wake import local, sqlite
from forge_jobs.wake.arrivals import Arrivals
from forge_jobs.wake.inotify import Inotify
from forge_jobs.wake.sqlite import SQLiteListener
from tests.app.jobs import noop
from tests.running import eventually
from tests.wake.hearing import listening

if connection.vendor != "sqlite":
    pytest.skip("PostgreSQL has no file to watch", allow_module_level=True)

pytestmark = pytest.mark.django_db(transaction=True)

on_linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no inotify")


def refuse(files: Iterable[str]) -> Inotify:
    raise OSError(24, "Too many open files")


@pytest.fixture(params=[pytest.param("told", marks=on_linux), "glances"])
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "glances":
        monkeypatch.setattr(sqlite, "Inotify", refuse)


@pytest.mark.usefixtures("_way")
def test_each_commit_of_another_session_is_heard() -> None:
    with listening(SQLiteListener()) as rung:
        eventually(lambda: rung[local.ANY] > 0)
        for _ in range(5):
            before = rung[local.ANY]
            noop.enqueue()
            eventually(lambda before=before: rung[local.ANY] > before)  # type: ignore[misc] # a lambda's default


@on_linux
@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_the_system_tells_of_a_write_and_of_nothing_else(tmp_path: Path, mode: str) -> None:
    path = str(tmp_path / "watched.sqlite3")
    session = sqlite3.connect(path, isolation_level=None)
    session.execute(f"PRAGMA journal_mode = {mode}")
    session.execute("CREATE TABLE seen (number)")
    with Arrivals() as arrivals:
        watch = sqlite.Told(path, arrivals)
        assert not watch.wait(0)
        session.execute("INSERT INTO seen VALUES (1)")
        assert watch.wait(30)
        assert not watch.wait(0)
        session.execute("SELECT * FROM seen").fetchall()
        assert not watch.wait(0)
        watch.close()
    session.close()


@on_linux
def test_a_file_that_is_not_there_can_not_be_watched(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        Inotify([str(tmp_path / "gone.sqlite3")])
