"""The smallest Django settings that the contestants built on Django run with."""

import os

AGE = os.environ.get("BENCHMARK_CONN_MAX_AGE")
CONN_MAX_AGE = int(AGE) if AGE else None
URL = os.environ["BENCHMARK_DATABASE_URL"]
APPS = {
    "forge_jobs": ["forge_jobs", "benchmarks"],
    "same_row": ["forge_jobs", "benchmarks"],
    "django_tasks_db": ["django_tasks", "django_tasks_db"],
    "django_ox": ["django_ox"],
    "dj_queue": ["dj_queue"],
}
TASK_BACKENDS = {
    "django_tasks_db": {"BACKEND": "django_tasks_db.DatabaseBackend"},
    "django_ox": {"BACKEND": "django_ox.backend.OxBackend"},
    "dj_queue": {
        "BACKEND": "dj_queue.backend.DjQueueBackend",
        "OPTIONS": {"workers": [{"threads": 8}]},
    },
}


def postgresql(url: str) -> dict[str, object]:
    from psycopg.conninfo import conninfo_to_dict

    parts = conninfo_to_dict(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts["dbname"],
        "USER": parts["user"],
        "PASSWORD": parts.get("password", ""),
        "HOST": parts.get("host", ""),
        "PORT": parts.get("port", ""),
        "CONN_MAX_AGE": CONN_MAX_AGE,
    }


def sqlite(path: str) -> dict[str, object]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": CONN_MAX_AGE,
        "OPTIONS": {
            "timeout": 30,
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode = wal; PRAGMA synchronous = normal",
        },
    }


DATABASES = {"default": postgresql(URL) if URL.startswith("postgresql:") else sqlite(URL)}
PROGRAM = os.environ["BENCHMARK_PROGRAM"]
INSTALLED_APPS = APPS[PROGRAM]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECRET_KEY = "no secret"
QUEUES = ["default", *(f"queue-{n}" for n in range(int(os.environ.get("BENCHMARK_QUEUES", "0"))))]
FORGE_JOBS = {
    "IMPORTS": os.environ.get("BENCHMARK_IMPORTS", "").split(),
    "QUEUES": {queue: {} for queue in QUEUES},
}
TASKS = {"default": TASK_BACKENDS[PROGRAM]} if PROGRAM in TASK_BACKENDS else {}
