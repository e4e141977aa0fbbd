"""The project on a database other than the suite's, which a test may take down or break."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from tests.running import PATIENCE, ROOT, Runjobs

LONG = 120.0
"""Seconds for a program to start and end in, while much else goes on."""

ENQUEUE = """
import django; django.setup()
from tests.app.jobs import effect
effect.enqueue_many([{{"number": number, "seconds": {seconds}}} for number in range({count})])
"""


class Elsewhere:
    """Migrated; `environment` is what its processes are started with."""

    def __init__(self, url: str, **environment: str) -> None:
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "FORGE_JOBS_TEST_DATABASE": "postgresql",
            "FORGE_JOBS_TEST_DATABASE_NAME": "postgres",
            **environment,
        }
        self.move(url)
        self.python("-m", "django", "migrate", "--verbosity", "0")

    def move(self, url: str) -> None:
        """Be in another place from now on, for whoever is started."""
        self.url = self.environment["FORGE_JOBS_TEST_DATABASE_URL"] = url

    def runjobs(self, *arguments: str, within: Sequence[str] = (), **environment: str) -> Runjobs:
        return Runjobs(*arguments, within=within, **{**self.environment, **environment})

    def enqueue_effects(self, count: int, *, seconds: float) -> None:
        self.python("-c", ENQUEUE.format(count=count, seconds=seconds))

    def ask(self, question: str) -> list[Any]:
        """The rows that a query comes to; none while the server is down."""
        try:
            with psycopg.connect(self.url) as connection:
                return connection.execute(question).fetchall()
        except psycopg.OperationalError:
            return []

    def count(self, condition: str) -> int:
        """How many jobs there are; -1 while nobody can tell."""
        rows = self.ask(f"SELECT count(*) FROM forge_jobs_job WHERE {condition}")
        return int(rows[0][0]) if rows else -1

    def python(self, *arguments: str, patience: float = LONG) -> str:
        """What a program of the project prints; an `AssertionError` with it if it fails."""
        code, printed = self.attempt(*arguments, patience=patience)
        assert code == 0, printed
        return printed

    def attempt(self, *arguments: str, patience: float = LONG) -> tuple[int, str]:
        """The exit code of a program of the project, and what it prints."""
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=patience,
        )
        return done.returncode, done.stdout


class InAFile(Elsewhere):
    """The project on an SQLite file of its own."""

    def __init__(self, file: Path, **environment: str) -> None:
        super().__init__(
            "",
            FORGE_JOBS_TEST_DATABASE="sqlite",
            FORGE_JOBS_TEST_DATABASE_NAME=str(file),
            **environment,
        )
        self.file = file

    def ask(self, question: str) -> list[Any]:
        with closing(sqlite3.connect(self.file, timeout=PATIENCE)) as connection:
            return connection.execute(question).fetchall()
