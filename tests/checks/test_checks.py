"""The system checks: what each of them finds, and that a good project passes them all."""

import ast
import os
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psutil
import pytest
from django.core.checks import CheckMessage, run_checks
from django.db import connections
from pytest_django import DjangoDbBlocker, Settings

from forge_jobs import job
from forge_jobs.checks import AT_START
from forge_jobs.checks.database import check_database, check_wal_reset_fault
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
def test_a_good_project_passes_all_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 53, 0))

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


def test_w009_tasks_for_a_queue_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = ModuleNotFoundError("No module named 'celery'", name="celery")
    misspelt = ModuleNotFoundError("No module named 'mail.modles'", name="mail.modles")
    failures: dict[str, Exception] = {"shop.tasks": missing, "mail.tasks": misspelt}
    monkeypatch.setattr(registry, "import_failures", failures)

    warning, error = check_handlers(None)
    assert (warning.id, error.id) == ("forge_jobs.W009", "forge_jobs.E003")
    assert warning.msg == "shop.tasks is left out: it needs celery, which is not installed."


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


@pytest.mark.parametrize(
    "router", [{"app.": "imagse"}, lambda kind: "imagse" if kind == "app.noop" else None]
)
def test_e017_a_route_to_a_queue_that_is_not_declared(settings: Settings, router: Any) -> None:
    settings.FORGE_JOBS = {"QUEUES": {"default": {}, "images": {}}, "ROUTER": router}

    (error,) = check_settings(None)
    assert error.id == "forge_jobs.E017"
    assert "'imagse'" in error.msg
    assert "Did you mean 'images'?" in error.msg


def test_e017_a_router_that_has_no_answer(settings: Settings) -> None:
    def route(kind: str) -> Any:
        if kind == "app.noop":
            raise KeyError("nowhere")
        return ["other"] if kind == "app.effect" else "default"

    settings.FORGE_JOBS = {"ROUTER": route}

    told = "\n".join(sorted(error.msg for error in check_settings(None)))
    assert "has no answer for 'app.noop': KeyError: 'nowhere'" in told
    assert "sends 'app.effect' to the queue ['other'], which is not declared" in told


def test_w007_a_budget_that_is_not_declared(settings: Settings) -> None:
    budgets = {"partner": {"capacity": 1, "refill_per_second": 1}}
    queues = {"default": {"budget": "partnre"}, "images": {"budget": "partner"}, "mail": {}}
    settings.FORGE_JOBS = {"QUEUES": queues, "BUDGETS": budgets}

    (warning,) = check_settings(None)
    assert warning.id == "forge_jobs.W007"
    assert "'default'" in warning.msg
    assert "Did you mean 'partner'?" in warning.msg


TASKS = "from forge_jobs import job\n\n\n@job(kind='{name}.sell')\ndef sell(): ...\n"


@pytest.fixture
def app_with_tasks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> Callable[..., None]:
    def install(name: str, *, jobs: str = "", tasks: str = TASKS) -> None:
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
        (tmp_path / name / "jobs.py").write_text(jobs.format(name=name))
        (tmp_path / name / "tasks.py").write_text(tasks.format(name=name))
        monkeypatch.syspath_prepend(tmp_path)
        settings.TASKS = {}  # else they are imported
        settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, name]

    return install


def test_w008_jobs_in_tasks_py(app_with_tasks: Callable[..., None]) -> None:
    app_with_tasks("shop_of_tasks")

    (warning,) = check_handlers(None)
    assert warning.id == "forge_jobs.W008"
    assert "shop_of_tasks.tasks declares jobs" in warning.msg
    assert (
        warning.hint == "Move them to shop_of_tasks.jobs, or let that import shop_of_tasks.tasks."
    )


def test_jobs_in_tasks_py_that_jobs_py_imports_are_fine(
    app_with_tasks: Callable[..., None],
) -> None:
    app_with_tasks("shop_of_both", jobs="from {name} import tasks")

    assert check_handlers(None) == []


@pytest.mark.parametrize(
    ("name", "tasks"),
    [
        ("shop_of_celery", "from celery import shared_task"),
        ("shop_of_callers", "from forge_jobs import enqueue"),
        ("shop_of_faults", "from forge_jobs import job ("),
    ],
)
def test_tasks_py_without_jobs_is_no_concern(
    app_with_tasks: Callable[..., None], name: str, tasks: str
) -> None:
    app_with_tasks(name, tasks=tasks)

    assert check_handlers(None) == []


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


@pytest.mark.django_db
def test_e014_a_database_without_autocommit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(connections["default"].settings_dict, "AUTOCOMMIT", False)

    (error,) = check_database(None, ["default"])
    assert error.id == "forge_jobs.E014"
    assert "AUTOCOMMIT" in str(error.hint)


@pytest.fixture
def session(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, django_db_blocker: DjangoDbBlocker
) -> Iterator[Callable[..., list[CheckMessage]]]:
    """What is found of a PostgreSQL database in sessions with these options."""
    if connections["default"].vendor != "postgresql":
        pytest.skip("SQLite has no such sessions")

    def found(name: str = "", **options: Any) -> list[CheckMessage]:
        usual = connections["default"].settings_dict
        jobs = {**usual, "NAME": name or usual["NAME"], "OPTIONS": options}
        monkeypatch.setitem(connections.settings, "jobs", jobs)
        settings.FORGE_JOBS = {"DATABASE": "jobs"}
        try:
            return check_database(None, ["jobs"])
        finally:
            forget("jobs")

    with django_db_blocker.unblock():
        yield found


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
@pytest.mark.django_db(transaction=True)
def test_e015_a_database_that_can_not_hold_all_texts(
    session: Callable[..., list[CheckMessage]], encoding: str
) -> None:
    name = f"forge_jobs_{encoding.lower()}_{os.getpid()}"
    with connections["default"].cursor() as cursor:
        cursor.execute(
            f"CREATE DATABASE {name} ENCODING '{encoding}' TEMPLATE template0 "
            f"LC_COLLATE 'C' LC_CTYPE 'C'"
        )
        try:
            (error,) = session(name)
        finally:
            cursor.execute(f"DROP DATABASE {name}")

    assert error.id == "forge_jobs.E015"
    assert encoding in error.msg
    assert "ENCODING 'UTF8'" in str(error.hint)


@pytest.mark.django_db
def test_e016_a_database_in_which_nothing_can_be_written(
    session: Callable[..., list[CheckMessage]],
) -> None:
    (error,) = session(options="-c default_transaction_read_only=on")

    assert error.id == "forge_jobs.E016"
    assert "default_transaction_read_only" in error.msg


@pytest.mark.django_db
@pytest.mark.parametrize(
    "options",
    [
        {"client_encoding": "LATIN1"},
        {"isolation_level": 3},
        {"isolation_level": 4},
        {"server_side_binding": True},
        {"options": "-c lock_timeout=5000"},
    ],
    ids=str,
)
def test_other_sessions_are_fine(
    session: Callable[..., list[CheckMessage]], options: dict[str, Any]
) -> None:
    assert session(**options) == []


@pytest.mark.parametrize("kind", ["nfs4", "cifs"])
def test_w004_sqlite_on_a_network_file_system(
    monkeypatch: pytest.MonkeyPatch, sqlite_database: SQLiteDatabase, tmp_path: Path, kind: str
) -> None:
    mounts = [Mount("/", "ext4"), Mount(str(tmp_path.resolve()), kind)]
    monkeypatch.setattr(psutil, "disk_partitions", lambda **options: mounts)

    (warning,) = check_database(None, [sqlite_database(**GOOD)])
    assert warning.id == "forge_jobs.W004"
    assert kind in warning.msg


class Mount(NamedTuple):
    mountpoint: str
    fstype: str


@pytest.mark.parametrize(
    "version",
    [(3, 35, 0), (3, 40, 1), (3, 44, 5), (3, 45, 0), (3, 50, 6), (3, 51, 2)],
    ids=str,
)
def test_w005_sqlite_with_the_wal_reset_fault(
    monkeypatch: pytest.MonkeyPatch, sqlite_database: SQLiteDatabase, version: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)
    monkeypatch.setattr(sqlite3, "sqlite_version", ".".join(map(str, version)))

    alias = sqlite_database(**GOOD)
    (warning,) = check_wal_reset_fault(None, [alias])
    assert warning.id == "forge_jobs.W005"
    assert ".".join(map(str, version)) in warning.msg
    assert "rare" in warning.msg
    assert "3.51.3" in str(warning.hint)
    assert check_database(None, [alias]) == []


@pytest.mark.parametrize(
    "version",
    [(3, 6, 23), (3, 44, 6), (3, 44, 7), (3, 50, 7), (3, 51, 3), (3, 52, 0), (3, 53, 0), (4, 0, 0)],
    ids=str,
)
def test_an_sqlite_without_that_fault_is_fine(
    monkeypatch: pytest.MonkeyPatch, sqlite_database: SQLiteDatabase, version: tuple[int, int, int]
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", version)

    assert check_wal_reset_fault(None, [sqlite_database(**GOOD)]) == []


def test_the_fault_is_one_of_wal_mode(sqlite_database: SQLiteDatabase) -> None:
    assert check_wal_reset_fault(None, [sqlite_database(transaction_mode="IMMEDIATE")]) == []
    assert check_wal_reset_fault(None, ["default"]) == []


def test_a_start_of_runjobs_does_not_tell_of_that_fault(
    monkeypatch: pytest.MonkeyPatch, sqlite_database: SQLiteDatabase
) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 40, 1))
    databases = [sqlite_database(**GOOD)]

    assert "forge_jobs.W005" in ids(run_checks(tags=["database"], databases=databases))
    assert ids(run_checks(tags=[AT_START], databases=databases)) == []


@pytest.mark.django_db
def test_w006_a_router_that_keeps_the_tables_out(settings: Settings) -> None:
    settings.DATABASE_ROUTERS = ["tests.checks.test_checks.KeepsOut"]

    (warning,) = check_database(None, ["default"])
    assert warning.id == "forge_jobs.W006"
    assert "allow_migrate" in str(warning.hint)


class KeepsOut:
    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool | None:
        return False if app_label == "forge_jobs" else None


def test_e020_an_annotation_that_can_not_be_used() -> None:
    @job(kind="tests.keep", validate=True)
    def keep(day: "NowhereToBeFound") -> None: ...  # type: ignore[name-defined]  # noqa: F821

    (error,) = check_handlers(None)

    assert error.id == "forge_jobs.E020"
    assert "day of tests.keep can't be validated by its annotation, NowhereToBeFound" in error.msg
    assert str(error.obj).startswith(__file__)
