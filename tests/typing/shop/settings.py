SECRET_KEY = "only for type checkers"
INSTALLED_APPS = ["django.contrib.contenttypes", "forge_jobs"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
