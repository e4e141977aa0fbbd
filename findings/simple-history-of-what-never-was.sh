#!/usr/bin/env bash
# Expected: django-simple-history, which "stores Django model state on every create/update/delete", keeps what the row
# was: the last record of a row's history says what is in the row, and each one before it what was.
# True, in django-simple-history 3.13.0 with Django 5.2.19: it keeps what the object in memory had. With
# save(update_fields=["state"]) the other fields are not stored, and are recorded as if they had been: a change that was
# never saved is in the history, and one that somebody else made in the meantime is not, as if it had been taken back.
# So it is by its own bulk_update_with_history() for fields that are not named, and at delete(). Its issues 1127 and
# 1363 are open. A save() of all fields is recorded as it is.
# Hurt: whoever has it as an audit, to say who changed what and when, or to restore a row by it: what a form had and
# dropped is put down to its user, the change of another user vanishes, and a row that is restored has values that it
# never had. It comes to those who do as Django advises, and save but what they changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'django==5.2.19' 'django-simple-history==3.13.0' 2>/dev/null
mkdir "$folder/shop"
touch "$folder/shop/__init__.py"
cd "$folder"
venv/bin/python - <<'PYTHON'
from importlib.metadata import version

import django
from django.conf import settings

settings.configure(
    USE_TZ=True,
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "simple_history", "shop"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from django.core.management import call_command
from django.db import connection, models
from simple_history.models import HistoricalRecords
from simple_history.utils import bulk_update_with_history

print("django-simple-history", version("django-simple-history"), "Django", django.get_version())


class Job(models.Model):
    state = models.CharField(max_length=9, default="waiting")
    price = models.IntegerField(default=10)
    history = HistoricalRecords()

    class Meta:
        app_label = "shop"


call_command("migrate", verbosity=0)
with connection.schema_editor() as editor:
    editor.create_model(Job)
    editor.create_model(Job.history.model)


def both(text, key):
    """What is in the row, and what the last record of its history says."""
    row = Job.objects.values_list("state", "price").get(pk=key)
    recorded = Job.history.filter(id=key).values_list("state", "price").latest()
    print(f"{text:50} {row} and in its history {recorded}")
    return row, recorded


job = Job.objects.create()
job.state, job.price = "done", 99
job.save()
row, recorded = both("a price of 99, by save()", job.pk)
assert row == recorded == ("done", 99)

job = Job.objects.create()
job.state, job.price = "done", 99
job.save(update_fields=["state"])
row, recorded = both('a price of 99, by save(update_fields=["state"])', job.pk)
assert row == ("done", 10)
assert recorded == ("done", 99), "expected by its users: done, 10"

job = Job.objects.create()
other = Job.objects.get(pk=job.pk)
other.price = 20
other.save()
job.state = "done"
job.save(update_fields=["state"])
row, recorded = both("a price of 20 by somebody else in between", job.pk)
assert row == ("done", 20)
assert recorded == ("done", 10), "expected by its users: done, 20"

job = Job.objects.create()
job.state, job.price = "done", 99
bulk_update_with_history([job], Job, ["state"])
row, recorded = both('a price of 99, by bulk_update_with_history(["state"])', job.pk)
assert row == ("done", 10)
assert recorded == ("done", 99), "expected by its users: done, 10"

job = Job.objects.create()
key, job.price = job.pk, 99
job.delete()
last = Job.history.filter(id=key).latest()
print("a price of 99 that was not saved, at delete():", last.history_type, last.price)
assert (last.history_type, last.price) == ("-", 99), "expected by its users: 10"
PYTHON
