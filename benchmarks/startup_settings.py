"""The settings with the admin of a project that has nothing else that belongs to `forge_jobs`."""

from benchmarks.pages_settings import *  # noqa: F403 - the same but for this
from benchmarks.pages_settings import INSTALLED_APPS as ALL

INSTALLED_APPS = [app for app in ALL if app != "benchmarks"]
ROOT_URLCONF = "benchmarks.startup_urls"
TASKS = {}
