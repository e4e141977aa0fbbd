"""SQLite: a commit is noticed by whichever way the system offers, and a stop ends the watch."""

import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.db import connection

from forge_jobs.wake import local, sqlite
from forge_jobs.wake.arrivals import Arrivals
from forge_jobs.wake.inotify import Inotify
from forge_jobs.wake.sqlite import (
    GLANCE_SECONDS,
    LEISURE_SECONDS,
    LONGEST_REST,
    RARE_GLANCE_SECONDS,
    SHORTEST_REST,
    Looks,
    Seen,
    SQLiteListener,
)
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


LONGEST = LONGEST_REST / SHORTEST_REST
WRITTEN, NEW, NOTHING = Seen(True, False), Seen(False, True), Seen(False, False)
WRITTEN_AND_NEW = Seen(True, True)


def rests(*seen: Seen, misses_none: bool = True) -> list[float]:
    """How many times the shortest rest follows on each look."""
    looks, found = Looks(misses_none=misses_none), []
    for each in seen:
        looks.go_on(each, moment=1_000.0)
        found.append(looks.rest / SHORTEST_REST)
    return found


def test_after_a_write_there_are_looks_until_its_commit_is_seen_and_none_any_more() -> None:
    assert rests(WRITTEN, NOTHING, NOTHING, NEW) == [1, 2, 4, LONGEST]


def test_a_commit_that_is_seen_at_once_may_be_another_one_so_some_looks_follow() -> None:
    assert rests(WRITTEN_AND_NEW, NOTHING, NOTHING, NOTHING) == [1, 8, 64, 512]
    assert rests(WRITTEN_AND_NEW, NOTHING, NEW) == [1, 8, LONGEST]
    assert rests(WRITTEN_AND_NEW, WRITTEN, NOTHING) == [1, 1, 2]


def test_where_commits_take_long_the_other_one_is_looked_for_as_closely() -> None:
    slow, fast = [WRITTEN, *[NOTHING] * 3, NEW], [WRITTEN, *[NOTHING] * 2, NEW]

    assert rests(*slow, WRITTEN_AND_NEW, NOTHING, NOTHING)[-3:] == [1, 2, 4]
    assert rests(*slow, *fast, WRITTEN_AND_NEW, NOTHING)[-2:] == [1, 8]


def test_where_writes_may_stay_unnoticed_looks_follow_in_any_case() -> None:
    assert rests(WRITTEN, NOTHING, NEW, NOTHING, misses_none=False) == [1, 2, 4, 8]


def pauses(*seen: Seen, apart: float = 0.0) -> list[float]:
    """What follows on each look, of looks that are so many seconds apart."""
    looks, found = Looks(misses_none=True), []
    for place, each in enumerate(seen):
        looks.go_on(each, moment=1_000.0 + place * apart)
        found.append(looks.pause)
    return found


def test_a_write_is_looked_into_at_once_however_many_were_before_it() -> None:
    with not_at_leisure():
        seldom = pauses(*[WRITTEN_AND_NEW] * 9, NOTHING, WRITTEN, apart=0.04)
        often = pauses(*[WRITTEN_AND_NEW] * 9, NOTHING, WRITTEN, apart=0.01)

    assert seldom[7:] == [GLANCE_SECONDS, GLANCE_SECONDS, 0.0, 0.0]
    assert often[7:] == [RARE_GLANCE_SECONDS, RARE_GLANCE_SECONDS, 0.0, SHORTEST_REST]


def test_others_are_soon_looked_for_after_a_commit_that_brought_work() -> None:
    with not_at_leisure() as bell:
        bell.found_at = 1_000.0225
        found = pauses(*[WRITTEN_AND_NEW] * 12, apart=0.005)

    assert found[7:] == [GLANCE_SECONDS] * 3 + [RARE_GLANCE_SECONDS] * 2


def test_who_has_enough_to_do_does_not_look_at_each_of_many_commits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(local, "_bells", [])  # no thread of another test's, which may still end

    assert pauses(*[WRITTEN_AND_NEW] * 8, NOTHING)[-2:] == [LEISURE_SECONDS, LEISURE_SECONDS]


@contextmanager
def not_at_leisure() -> Iterator[local.Bell]:
    """A thread of this process would do something about new work."""
    bell = local.Bell()
    local.subscribe(bell)
    try:
        yield bell
    finally:
        local.unsubscribe(bell)
