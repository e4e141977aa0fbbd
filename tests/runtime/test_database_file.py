"""SQLite's file is replaced under a running process: it says so, writes no more, and ends."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from tests.running import ROOT, Runjobs, eventually

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.processes,
    pytest.mark.skipif(connection.vendor != "sqlite", reason="a server looks after its files"),
]

WAIT = "app.wait_for_cancel", '{"seconds": 60}'


def manage(*words: str, file: Path) -> None:
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "tests.settings",
        "FORGE_JOBS_TEST_DATABASE_NAME": str(file),
    }
    command = [sys.executable, "-m", "django", *words]
    subprocess.run(command, cwd=ROOT, env=environment, check=True, stdout=subprocess.DEVNULL)


def ask(file: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(file)) as session:
        return [row[0] for row in session.execute(question).fetchall()]


def states(file: Path) -> list[Any]:
    return ask(file, "SELECT state FROM forge_jobs_job ORDER BY id")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with a job that waits to be cancelled."""
    file = tmp_path_factory.mktemp("template") / "jobs.sqlite3"
    manage("migrate", "--verbosity", "0", file=file)
    manage("jobs", "enqueue", *WAIT, file=file)
    return file


@pytest.fixture
def file(template: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(template, tmp_path))


def running(file: Path, *options: str) -> Runjobs:
    """A process that runs the job, and has begun to look after the file."""
    process = Runjobs(*options, FORGE_JOBS_TEST_DATABASE_NAME=str(file))
    eventually(lambda: states(file) == ["running"])
    eventually(lambda: ask(file, "SELECT 1 FROM forge_jobs_process WHERE rss_bytes > 0") == [1])
    return process


def replaced(file: Path) -> None:
    shutil.copy(file, file.with_suffix(".backup"))
    file.with_suffix(".backup").replace(file)


def moved(file: Path) -> None:
    file.rename(file.with_suffix(".old"))


def without_log(file: Path) -> None:
    Path(f"{file}-wal").unlink()


def without_index(file: Path) -> None:
    Path(f"{file}-shm").unlink()


@pytest.mark.parametrize("change", [replaced, moved, Path.unlink, without_log, without_index])
def test_a_process_whose_file_is_gone_says_so_and_ends_with_1(
    file: Path, change: Callable[[Path], None]
) -> None:
    with running(file) as runjobs:
        change(file)
        code, output = runjobs.wait()

    assert code == 1
    assert "was replaced, moved or deleted" in output
    assert str(file) in output
    assert "Traceback" not in output


def test_what_ran_then_is_not_written_into_the_old_file(file: Path) -> None:
    old = file.with_suffix(".old")
    with running(file) as runjobs:
        os.link(file, old)
        for part in ("-wal", "-shm"):
            os.link(f"{file}{part}", f"{old}{part}")
        replaced(file)
        code, _ = runjobs.wait()

    assert code == 1
    assert states(old) == ["running"]


def test_a_supervisor_starts_a_process_that_opens_the_new_file(template: Path, file: Path) -> None:
    with running(file, "--processes", "1") as runjobs:
        new = file.with_suffix(".new")
        shutil.copy(template, new)
        with closing(sqlite3.connect(new)) as session, session:
            session.execute("UPDATE forge_jobs_job SET kind = 'app.noop', payload = '{}'")
        for part in ("-wal", "-shm"):
            Path(f"{file}{part}").unlink()
        new.replace(file)
        eventually(lambda: states(file) == ["succeeded"])
        runjobs.terminate()
        code, output = runjobs.wait()

    assert code == 0
    assert "ended with exit code 1" in output
