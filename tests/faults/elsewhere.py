"""The project on a database other than the suite's: a server that a test may take down."""

import os
import subprocess
import sys
from typing import Any

import psycopg

from tests.running import PATIENCE, ROOT, Runjobs

ENQUEUE = """
import django; django.setup()
from tests.app.jobs import effect
effect.enqueue_many([{{"number": number, "seconds": {seconds}}} for number in range({count})])
"""


class Elsewhere:
    """Migrated; `environment` is what its processes are started with."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.environment = {
            "DJANGO_SETTINGS_MODULE": "tests.settings",
            "FORGE_JOBS_TEST_DATABASE": "postgresql",
            "FORGE_JOBS_TEST_DATABASE_URL": url,
            "FORGE_JOBS_TEST_DATABASE_NAME": "postgres",
        }
        self._python("-m", "django", "migrate", "--verbosity", "0")

    def runjobs(self, *arguments: str) -> Runjobs:
        return Runjobs(*arguments, **self.environment)

    def enqueue_effects(self, count: int, *, seconds: float) -> None:
        self._python("-c", ENQUEUE.format(count=count, seconds=seconds))

    def ask(self, question: str) -> list[Any]:
        """The rows that a query comes to; none while the server is down."""
        try:
            with psycopg.connect(self.url) as connection:
                return connection.execute(question).fetchall()
        except psycopg.OperationalError:
            return []

    def count(self, condition: str) -> int:
        """How many jobs there are; -1 while nobody can tell."""
        rows = self.ask(f"SELECT count(*) FROM forge_jobs_job WHERE {condition}")  # noqa: S608
        return int(rows[0][0]) if rows else -1

    def _python(self, *arguments: str) -> None:
        command = [sys.executable, *arguments]
        environment = {**os.environ, **self.environment}
        subprocess.run(command, cwd=ROOT, env=environment, check=True, timeout=PATIENCE)
