"""A project that runs on this release as on the one before it."""

import os
from typing import Any

from tests.databases import configured

SECRET_KEY = "only for tests"
USE_TZ = True
ALLOWED_HOSTS = ["127.0.0.1"]
DATABASES: dict[str, dict[str, Any]] = {"default": configured(os.environ)}
INSTALLED_APPS = ["django.contrib.contenttypes", "forge_jobs", "tests.upgrades.shop"]
ROOT_URLCONF = "tests.upgrades.shop.urls"
FORGE_JOBS: dict[str, Any] = {
    "QUEUES": {"default": {}, "limited": {"max_workers": 2}},
    "PROCESS_TIMEOUT": 120,  # a busy machine is no crash
}
