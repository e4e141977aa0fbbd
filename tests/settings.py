"""Settings for the suite; the database comes from the environment, see `conftest.py`."""

import os
from typing import Any

from tests.databases import configured

SECRET_KEY = "only for tests"
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES: dict[str, dict[str, Any]] = {"default": configured(os.environ)}
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "forge_jobs",
    "tests.app",
    "sample_project.gallery",
]
MIDDLEWARE = [
    "tests.csp.StrictPolicy",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
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
            ]
        },
    }
]
ROOT_URLCONF = os.environ.get("FORGE_JOBS_TEST_URLS", "sample_project.urls")
STATIC_URL = "static/"
MEDIA_URL = "media/"
MEDIA_ROOT = os.environ.get("FORGE_JOBS_TEST_MEDIA_ROOT", "")
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
FORGE_JOBS: dict[str, Any] = {
    "QUEUES": {"default": {}, "other": {}, "images": {}, "publish": {}},
}
if imports := os.environ.get("FORGE_JOBS_TEST_IMPORTS"):
    FORGE_JOBS["IMPORTS"] = imports.split(",")
TASKS: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "forge_jobs.backend.ForgeJobsBackend",
        "QUEUES": ["default", "mail"],
        "OPTIONS": {"queues": {"mail": "other"}},
    },
    "patient": {
        "BACKEND": "forge_jobs.backend.ForgeJobsBackend",
        "OPTIONS": {"max_attempts": 3},
    },
}
if timeout := os.environ.get("FORGE_JOBS_TEST_PROCESS_TIMEOUT"):
    FORGE_JOBS["PROCESS_TIMEOUT"] = float(timeout)
GALLERY_API_URL = "http://127.0.0.1:9/fake-api/pictures/"
GALLERY_API_SEED: int | None = 0
GALLERY_LENGTH = 600
GALLERY_VISITORS = False
