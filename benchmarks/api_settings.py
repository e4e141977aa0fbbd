"""The settings of the pages, with the HTTP API beside the admin."""

from benchmarks.pages_settings import *  # noqa: F403 - the same but for this

ROOT_URLCONF = "benchmarks.api_urls"
