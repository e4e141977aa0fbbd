"""The settings of the pages, with the HTTP API beside the admin."""

from benchmarks.pages_settings import *  # noqa: F403 - the same but for this

ROOT_URLCONF = "benchmarks.api_urls"
DATABASES["default"]["CONN_MAX_AGE"] = None  # noqa: F405 - else each request would open a session
