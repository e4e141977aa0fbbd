"""The suite's settings under another theme of the admin: `FORGE_JOBS_TEST_THEME` is its app."""

import os

from tests import settings as plain
from tests.settings import *  # noqa: F403 - the same but for this

ALLOWED_HOSTS = ["127.0.0.1"]
INSTALLED_APPS = [os.environ["FORGE_JOBS_TEST_THEME"], *plain.INSTALLED_APPS]
# No theme knows a policy as strict as ours.
MIDDLEWARE = [name for name in plain.MIDDLEWARE if name != "tests.csp.StrictPolicy"]
JAZZMIN_SETTINGS = {"use_google_fonts_cdn": False}
JAZZMIN_UI_TWEAKS = {"default_theme_mode": "auto"}
