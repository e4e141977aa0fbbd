#!/usr/bin/env bash
# Expected: what ModelResource of django-import-export exports, and the same resource imports again unchanged, leaves
# each row as it was, in JSON as in CSV; it can skip rows that have not changed.
# True, in django-import-export 4.4.3 with Django 5.2.19: not so of a JSONField and of a DateTimeField, and no row is
# reported as invalid. In a JSONField all that is empty, an empty list or object, 0, false and "", is exported as
# nothing and becomes null. A moment is written by the clock of the place, to the second and without its offset, in JSON
# too: the second half past two of the night in which clocks go back comes back as the first, an hour earlier, and what
# is behind the second is gone, of times of day as well. DurationFields keep theirs. Its issue 2122 has the empty
# values, for version 5.
# Hurt: whoever moves or mends data so, by the admin or by a backup: rows that nobody touched have changed, {} and []
# are None to code that goes over them, 0 is "not set", and what is found by its moment is not found any more.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'django==5.2.19' 'django-import-export==4.4.3' 'tablib==3.10.0' 'tzdata==2026.6' 2>/dev/null
mkdir "$folder/shop"
touch "$folder/shop/__init__.py"
cd "$folder"
venv/bin/python - <<'PYTHON'
from datetime import UTC, datetime, time, timedelta
from importlib.metadata import version

import django
from django.conf import settings

settings.configure(
    USE_TZ=True,
    TIME_ZONE="Europe/Berlin",
    INSTALLED_APPS=["import_export", "shop"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from django.db import connection, models
from import_export import resources
from tablib import Dataset

print("django-import-export", version("django-import-export"), "Django", django.get_version())


class Job(models.Model):
    data = models.JSONField(null=True)
    due = models.DateTimeField(null=True)
    clock = models.TimeField(null=True)
    lasts = models.DurationField(null=True)

    class Meta:
        app_label = "shop"


class JobResource(resources.ModelResource):
    class Meta:
        model = Job


with connection.schema_editor() as editor:
    editor.create_model(Job)


def after(form, **values):
    """The value that was stored, when it went out and in again by such a file."""
    Job.objects.all().delete()
    job = Job.objects.create(**values)
    text = JobResource().export().export(form)
    result = JobResource().import_data(Dataset().load(text, format=form), raise_errors=True)
    assert not result.has_errors() and not result.has_validation_errors()
    job.refresh_from_db()
    ((name, before),) = values.items()
    value = getattr(job, name)
    print(f"{form:5} {name:6} {before!s:35} is {value!s:35} {'' if value == before else 'changed'}")
    return value


FIRST, SECOND = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)
for form in ("json", "csv"):
    for kept in ([1], {"a": []}, "null", True):
        assert after(form, data=kept) == kept
    for empty in ([], {}, 0, False, ""):
        assert after(form, data=empty) is None, "expected by its users: the value itself"
    assert after(form, due=NOON) == NOON
    assert after(form, due=FIRST) == FIRST
    assert after(form, due=SECOND) == FIRST, "expected by its users: the second hour"
    assert after(form, due=NOON + timedelta(milliseconds=7)) == NOON, "expected by its users: with the milliseconds"
    assert after(form, clock=time(9, 0, 0, 500)) == time(9), "expected by its users: with the microseconds"
    assert after(form, lasts=timedelta(days=-1, microseconds=5)) == timedelta(days=-1, microseconds=5)
PYTHON
