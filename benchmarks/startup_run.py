"""Starts a project as its web processes do, and prints the milliseconds and MiB that it took.

Without `forge_jobs` if it is told so: the difference is what the app adds.
"""

import json
import sys
import time

import psutil
from django.conf import settings


def main(*words: str) -> None:
    apps = settings.INSTALLED_APPS  # read with it and without it, so that both pay for it before
    if "without" in words:
        settings.INSTALLED_APPS = [app for app in apps if app != "forge_jobs"]
    import django
    from django.urls import get_resolver

    process = psutil.Process()
    mib = process.memory_info().rss / 2**20
    began = time.process_time()
    django.setup()
    assert get_resolver().url_patterns
    milliseconds = 1_000 * (time.process_time() - began)
    print(json.dumps([milliseconds, process.memory_info().rss / 2**20 - mib]))


main(*sys.argv[1:])
