"""What a process loads, and what it must not: each module costs it memory and time."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import forge_jobs
from tests.running import PATIENCE

pytestmark = pytest.mark.once

ROOT = Path(__file__).parent.parent

WEB = """
import sys
import django
django.setup()
from django.contrib import admin
from forge_jobs.models import Job
assert admin.site.is_registered(Job)
print(*sys.modules)
"""

ENQUEUEING = """
import sys
import django
django.setup()
from forge_jobs import enqueue
print(*sys.modules)
"""

RUNJOBS = """
import sys
from django.core.management import execute_from_command_line
from forge_jobs.signals import process_stopped
process_stopped.connect(lambda **facts: print(*sys.modules), weak=False)
execute_from_command_line(["manage.py", "migrate", "--verbosity", "0"])
execute_from_command_line(["manage.py", "runjobs", "--drain", "--verbosity", "0"])
"""

SETTINGS = """
SECRET_KEY = "tested"
USE_TZ = True
INSTALLED_APPS = {apps}
DATABASES = {{"default": {{"ENGINE": "django.db.backends.sqlite3", "NAME": {database!r}}}}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
TEMPLATES = [{{"BACKEND": "django.template.backends.django.DjangoTemplates"}}]
"""

ADMIN = [f"django.contrib.{name}" for name in ("admin", "auth", "contenttypes", "messages")]


def loaded(code: str, folder: Path, *, apps: list[str]) -> set[str]:
    """The modules of a process of its own, which has only these apps and ours."""
    database = str(folder / "jobs.sqlite3")
    settings = SETTINGS.format(apps=[*apps, "forge_jobs"], database=database)
    (folder / "settings_of_its_own.py").write_text(settings)
    environment = os.environ | {
        "DJANGO_SETTINGS_MODULE": "settings_of_its_own",
        "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}",
        "PYTHONWARNINGS": "ignore",
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
    )
    assert not done.returncode, done.stderr
    return {*done.stdout.splitlines()[-1].split()}


def among(modules: set[str], *packages: str) -> list[str]:
    return sorted(
        module
        for module in modules
        if any(module == package or module.startswith(f"{package}.") for package in packages)
    )


def test_a_web_process_loads_no_page_before_somebody_looks_at_one(tmp_path: Path) -> None:
    modules = loaded(WEB, tmp_path, apps=ADMIN)

    pages = ("forge_jobs.dashboard", "forge_jobs.operations", "forge_jobs.admin.job_list")
    assert among(modules, *pages) == []
    assert among(modules, "forge_jobs.runtime", "forge_jobs.services", "psutil") == []


def test_a_web_process_loads_of_the_public_names_what_its_code_asks_for(tmp_path: Path) -> None:
    modules = loaded(WEB, tmp_path, apps=ADMIN)

    names = ("backoff", "context", "enqueueing", "handlers.chunks", "handlers.middleware", "sets")
    assert among(modules, *(f"forge_jobs.{name}" for name in names)) == []


def test_each_public_name_is_to_be_had_and_no_other() -> None:
    everything: dict[str, object] = {}
    exec("from forge_jobs import *", everything)  # noqa: S102 - as people do at a prompt

    assert {*forge_jobs.__all__} <= everything.keys()
    assert {*forge_jobs.__all__} <= {*dir(forge_jobs)}
    assert not hasattr(forge_jobs, "enque")


def test_a_web_process_that_checks_nothing_loads_no_check_and_no_form(tmp_path: Path) -> None:
    modules = loaded(WEB, tmp_path, apps=ADMIN)

    assert among(modules, "forge_jobs.checks") == ["forge_jobs.checks"]
    forms = ("budget_form", "queue_form", "schedule_form", "token_form")
    assert among(modules, *(f"forge_jobs.admin.{form}" for form in forms)) == []


def test_a_web_process_whose_handlers_start_no_programs_loads_nothing_that_does(
    tmp_path: Path,
) -> None:
    modules = loaded(WEB, tmp_path, apps=ADMIN)

    programs = ("children", "handlers.command", "handlers.pool", "handlers.isolation")
    assert among(modules, *(f"forge_jobs.{name}" for name in programs)) == []


def test_a_web_process_without_schedules_reads_no_expressions(tmp_path: Path) -> None:
    modules = loaded(WEB, tmp_path, apps=ADMIN)

    assert among(modules, "forge_jobs.cron") == ["forge_jobs.cron", "forge_jobs.cron.zones"]
    assert among(modules, "croniter", "cron_descriptor") == []


def test_whoever_only_enqueues_loads_no_admin_and_no_process(tmp_path: Path) -> None:
    modules = loaded(ENQUEUEING, tmp_path, apps=[])

    others = ("admin", "dashboard", "management", "operations", "runtime", "services", "db.sqlite")
    assert among(modules, *(f"forge_jobs.{name}" for name in others)) == []
    assert among(modules, "admin_actions", "django.contrib.admin", "psutil", "psycopg") == []


def test_runjobs_loads_no_pages_and_only_the_statements_of_its_database(tmp_path: Path) -> None:
    modules = loaded(RUNJOBS, tmp_path, apps=[])

    others = ["admin", "backend", "dashboard", "testing", "db.postgresql", "db.twins"]
    others += ["runtime.running.loop_thread", "runtime.running.stepping"]  # no handler awaits
    assert among(modules, *(f"forge_jobs.{name}" for name in others)) == []
    assert among(modules, "forge_jobs.cron") == ["forge_jobs.cron", "forge_jobs.cron.zones"]
    assert among(modules, "croniter", "psycopg", "django.contrib.admin") == []
