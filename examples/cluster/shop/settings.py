"""A shop whose database is a cluster: all hosts are named, the one that takes writes is meant."""

import os

HOSTS = ["10.78.0.1", "10.78.0.2", "10.78.0.3"]
PORT = os.environ.get("SHOP_DATABASE_PORT", "5432")

SECRET_KEY = "only for a laboratory"
USE_TZ = True
INSTALLED_APPS = ["django.contrib.contenttypes", "forge_jobs", "shop"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "shop",
        "USER": "postgres",
        "HOST": ",".join(HOSTS),
        "PORT": ",".join([PORT] * len(HOSTS)),
        "OPTIONS": {
            "target_session_attrs": "read-write",
            "connect_timeout": 2,
            # A host that is cut off says no goodbye: a request would wait for it for minutes.
            "keepalives_idle": 5,
            "keepalives_interval": 2,
            "keepalives_count": 3,
            "tcp_user_timeout": 10_000,
        },
    }
}
