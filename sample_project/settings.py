"""The sample project's settings: a demonstration on one machine, not a deployment."""

import os
from datetime import timedelta
from pathlib import Path
from typing import Any

from sample_project.database import from_url, sqlite

VAR = Path(__file__).resolve().parent / "var"
VAR.mkdir(exist_ok=True)

SECRET_KEY = "for-the-demonstration-only"  # noqa: S105 - the demonstration's
DEBUG = True

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "forge_jobs",
    "sample_project.gallery",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.http.ConditionalGetMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

ROOT_URLCONF = "sample_project.urls"
WSGI_APPLICATION = "sample_project.wsgi.application"

DATABASE_URL = os.environ.get("DATABASE_URL")
DATABASES = {"default": from_url(DATABASE_URL) if DATABASE_URL else sqlite(VAR / "db.sqlite3")}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Nobody chooses a Python by its SQLite for a demonstration; the Health page tells of it.
SILENCED_SYSTEM_CHECKS = ["forge_jobs.W005"]

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_TZ = True

STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = VAR / "media"
DATA_UPLOAD_MAX_NUMBER_FILES = 1000

FORGE_JOBS: dict[str, Any] = {
    "QUEUES": {
        "default": {"retain_succeeded": timedelta(hours=1)},
        "images": {"max_workers": 4},
        "publish": {
            "budget": "publishing",
            "throttle_base": timedelta(seconds=2),
            "throttle_cap": timedelta(seconds=4),
        },
        "exports": {"max_workers": 1},
    },
    "ROUTER": {"gallery.export_": "exports"},
    "BUDGETS": {"publishing": {"capacity": 10, "refill_per_second": 5}},
    "SCHEDULES": {"gallery.tidy_up": {"kind": "gallery.tidy_up", "cron": "* * * * *"}},
}

GALLERY_API_URL = os.environ.get("GALLERY_API_URL", "http://127.0.0.1:8000/fake-api/pictures/")
GALLERY_API_SEED: int | None = None
GALLERY_LENGTH = 600
GALLERY_VISITORS = os.environ.get("GALLERY_VISITORS") == "1"

# The page asks for news every second and the fake API errs on purpose; neither is news here.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "not_the_fake_api": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: "/fake-api/" not in record.getMessage(),
        },
    },
    "handlers": {
        "console": {"class": "logging.StreamHandler", "filters": ["not_the_fake_api"]},
    },
    "loggers": {
        "django": {"handlers": ["console"], "level": "INFO", "propagate": False},
        "django.server": {"handlers": ["console"], "level": "WARNING", "propagate": False},
    },
}
