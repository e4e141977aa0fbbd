"""The system checks: what each of them finds, and that a good project passes them all."""

import ast
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from forge_jobs import job
from forge_jobs.checks.database import check_database
from forge_jobs.checks.handlers import check_handlers
from forge_jobs.checks.settings import check_settings
from forge_jobs.handlers.registry import registry

SQLiteDatabase = Callable[..., str]
GOOD = {
    "transaction_mode": "IMMEDIATE",
    "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
}


@pytest.fixture
def sqlite_database(
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[SQLiteDatabase]:
    """Another database, in which the jobs are kept, with these options."""

    def declare(name: str | Path = tmp_path / "jobs.sqlite3", **options: Any) -> str:
        declared = connections.configure_settings(
            {
                "default": connections.settings["default"],
                "jobs": {
                    "ENGINE": "django.db.backends.sqlite3",
                    "NAME": str(name),
                    "OPTIONS": options,
                },
            }
        )
        monkeypatch.setitem(connections.settings, "jobs", declared["jobs"])
        settings.FORGE_JOBS = {"DATABASE": "jobs"}
        return "jobs"

    with django_db_blocker.unblock():
        yield declare
        forget("jobs")


def forget(alias: str) -> None:
    if alias in connections:
        connections[alias].close()
        del connections[alias]


def ids(messages: list[CheckMessage]) -> list[str | None]:
    return [message.id for message in messages]


@pytest.mark.django_db
def test_a_good_project_passes_all_checks() -> None:
    found = ids(run_checks(databases=["default"]))

    assert [name for name in found if (name or "").startswith("forge_jobs.")] == []


@pytest.mark.django_db
def test_the_checks_are_registered(settings: Settings) -> None:
    settings.FORGE_JOBS = {"THREADS": 0}

    assert "forge_jobs.E001" in ids(run_checks(databases=["default"]))


@pytest.mark.parametrize("given", [{"THREAD": 8}, {"THREADS": 0}, {"ROUTER": "nowhere.at.all"}])
def test_e001_settings_that_can_not_be_read(settings: Settings, given: dict[str, Any]) -> None:
    settings.FORGE_JOBS = given

    (error,) = check_settings(None)
    assert error.id == "forge_jobs.E001"
    assert next(iter(given)) in error.msg


def test_e002_a_database_that_does_not_exist(settings: Settings) -> None:
    settings.FORGE_JOBS = {"DATABASE": "jobs"}

    (error,) = check_settings(None)
    assert (error.id, error.hint) == ("forge_jobs.E002", "Name one of default.")
    assert "'jobs'" in error.msg


def test_e003_a_jobs_module_that_can_not_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    failures = {"mail.jobs": ImportError("No module named 'smtp'")}
    monkeypatch.setattr(registry, "import_failures", failures)

    (error,) = check_handlers(None)
    assert error.id == "forge_jobs.E003"
    assert error.msg == "mail.jobs can't be imported: ImportError: No module named 'smtp'"


def test_e004_two_handlers_of_one_kind() -> None:
    @job(kind="mail.send")
    def send() -> None: ...

    @job(kind="mail.send")
    def post() -> None: ...

    (error,) = check_handlers(None)
    assert error.id == "forge_jobs.E004"
    assert "'mail.send'" in error.msg
    assert send.place in str(error.hint)
    assert post.place in str(error.hint)


def test_e005_a_database_that_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections["default"], "vendor", "oracle")

    (error,) = check_database(None, ["default"])
    assert error.id == "forge_jobs.E005"
    assert "oracle" in error.msg


def test_e006_an_sqlite_that_is_too_old(
    monkeypatch: pytest.MonkeyPatch, sqlite_database: SQLiteDatabase
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))

    (error,) = check_database(None, [sqlite_database(**GOOD)])
    assert error.id == "forge_jobs.E006"
    assert "3.35" in error.msg


def test_e007_times_without_a_zone(settings: Settings) -> None:
    settings.USE_TZ = False

    (error,) = check_settings(None)
    assert error.id == "forge_jobs.E007"


def test_w001_sqlite_without_a_write_ahead_log(sqlite_database: SQLiteDatabase) -> None:
    (warning,) = check_database(None, [sqlite_database(transaction_mode="IMMEDIATE")])

    assert warning.id == "forge_jobs.W001"
    assert '"init_command": "PRAGMA journal_mode=WAL' in str(warning.hint)


@pytest.mark.parametrize("mode", [None, "DEFERRED", "deferred"])
def test_w002_sqlite_with_deferred_transactions(
    sqlite_database: SQLiteDatabase, mode: str | None
) -> None:
    options = {**GOOD, "transaction_mode": mode}

    (warning,) = check_database(None, [sqlite_database(**options)])
    assert warning.id == "forge_jobs.W002"
    assert '"transaction_mode": "IMMEDIATE"' in str(warning.hint)


def test_the_options_that_a_warning_shows_satisfy_it(sqlite_database: SQLiteDatabase) -> None:
    warning, _ = check_database(None, [alias := sqlite_database()])
    forget(alias)

    shown = ast.literal_eval("{" + str(warning.hint).partition("\n")[2] + "}")
    assert check_database(None, [sqlite_database(**shown["OPTIONS"])]) == []


@pytest.mark.parametrize("mode", ["IMMEDIATE", "immediate", "EXCLUSIVE"])
def test_sqlite_with_a_log_and_immediate_transactions_is_fine(
    sqlite_database: SQLiteDatabase, mode: str
) -> None:
    assert check_database(None, [sqlite_database(**{**GOOD, "transaction_mode": mode})]) == []


def test_sqlite_in_memory_needs_no_log(sqlite_database: SQLiteDatabase) -> None:
    assert check_database(None, [sqlite_database(":memory:", transaction_mode="IMMEDIATE")]) == []


def test_a_database_that_is_not_to_be_checked_is_not_opened(
    sqlite_database: SQLiteDatabase, tmp_path: Path
) -> None:
    sqlite_database(tmp_path / "no" / "such" / "folder")

    assert check_database(None, ["default"]) == []
    assert check_database(None, None) == []
