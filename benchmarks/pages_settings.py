"""The benchmarks' settings with the admin, in which Mission Control lives."""

from benchmarks.settings import *  # noqa: F403 - the same but for this

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "forge_jobs",
    "benchmarks",
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
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
ROOT_URLCONF = "benchmarks.pages_urls"
STATIC_URL = "static/"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
FORGE_JOBS = {"QUEUES": {"default": {}, "mail": {}, "images": {}, "reports": {}}}
