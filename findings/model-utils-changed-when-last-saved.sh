#!/usr/bin/env bash
# Expected: MonitorField(monitor="state") of django-model-utils holds when the state last changed: "updates itself to
# the current date-time whenever the monitored field changes", says its documentation.
# True, in django-model-utils 5.0.0 with Django 5.2.19: only a save() that writes both fields does. save(update_fields=
# ["state"]) leaves it out, without a word: the next save() of the same object writes its own time, as if the state had
# changed then, and if another object of that row saves next, it is never written. And where the state was deferred by
# defer() or only(), each save() takes it for changed, also one of another field. With when=[…] it is so as well;
# TimeStampedModel and StatusModel of the same package add theirs to update_fields by themselves.
# Hurt: whoever saves but what has changed, as one is told to, and reckons by such a field how long a job ran, whether a
# response was in time, or what may be deleted: the hours are wrong, or missing, and the tests, with save(), are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'django==5.2.19' 'django-model-utils==5.0.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from importlib.metadata import version
from unittest import mock

import django
from django.conf import settings

settings.configure(
    USE_TZ=True,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from django.db import connection, models
from model_utils import fields

print("django-model-utils", version("django-model-utils"), "Django", django.get_version())


class Job(models.Model):
    state = models.CharField(max_length=9, default="waiting")
    note = models.TextField(default="")
    changed_at = fields.MonitorField(monitor="state")
    done_at = fields.MonitorField(monitor="state", when=["done"], null=True)

    class Meta:
        app_label = "shop"


with connection.schema_editor() as editor:
    editor.create_model(Job)


def save(job, *, at, update_fields=None, **values):
    for name, value in values.items():
        setattr(job, name, value)
    with mock.patch.object(fields, "now", lambda: datetime(2026, 11, 29, at, tzinfo=UTC)):
        job.save(update_fields=update_fields)


def made(*, at=9):
    job = Job()
    job.changed_at = datetime(2026, 11, 29, at, tzinfo=UTC)
    save(job, at=at)
    return job


def stored(text, job):
    """The hours of both fields, as the row has them."""
    row = Job.objects.get(pk=job.pk)
    hours = row.changed_at.hour, row.done_at and row.done_at.hour
    print(f"{text:60} changed at {hours[0]}, done at {hours[1]}")
    return hours


job = made()
save(job, at=10, state="done")
assert stored("done at ten, by save()", job) == (10, 10)

job = made()
save(job, at=10, state="done", update_fields=["state"])
assert stored('done at ten, by save(update_fields=["state"])', job) == (9, None), "expected by its users: 10, 10"
save(job, at=15, note="paid")
assert stored("and a note at three by the same object", job) == (15, 15), "expected by its users: 10, 10"

job = made()
save(job, at=10, state="done", update_fields=["state"])
save(Job.objects.get(pk=job.pk), at=15, note="paid")
assert stored("and a note at three by another", job) == (9, None), "expected by its users: 10, 10"

job = made()
save(Job.objects.defer("state").get(pk=job.pk), at=15, note="paid")
assert stored("never done, and a note at three with the state deferred", job) == (15, None), "expected: 9, None"
PYTHON
