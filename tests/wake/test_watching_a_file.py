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
from forge_jobs.wake.sqlite import LONGEST_REST, SHORTEST_REST, Glances, Looks, SQLiteListener, Told
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


def rests(way: type[Told] | type[Glances], *seen: bool) -> list[float]:
    """How many times the shortest rest each is: after a write, and a look each that saw a commit or
    none."""
    looks = Looks(way)
    looks.go_on(was_written=True, has_changed=seen[0])
    found = [looks.rest]
    for has_changed in seen[1:]:
        looks.go_on(was_written=False, has_changed=has_changed)
        found.append(looks.rest)
    return [rest / SHORTEST_REST for rest in found]


def test_after_a_write_there_are_looks_until_its_commit_is_seen_and_none_any_more() -> None:
    longest = LONGEST_REST / SHORTEST_REST

    assert rests(Told, False, False, False, True) == [1, 2, 4, longest]


def test_a_commit_that_is_seen_at_once_may_be_another_one_so_some_looks_follow() -> None:
    longest = LONGEST_REST / SHORTEST_REST

    assert rests(Told, True, False, False, False) == [1, 4, 16, 64]
    assert rests(Told, True, False, True) == [1, 4, longest]


def test_where_writes_may_stay_unnoticed_looks_follow_in_any_case() -> None:
    assert rests(Glances, False, False, True, False) == [1, 2, 4, 8]
