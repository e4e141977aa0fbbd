#!/usr/bin/env bash
# Expected: a time with an offset, such as "09:00+05:00", is refused where there is no room for the offset: parse_time()
# returns None "in particular if it contains an offset", says its docstring, and "UTC offsets aren't supported; if value
# describes one, the result is None" its documentation. JSON of an aware time is refused by DjangoJSONEncoder so.
# True, in Django 5.2.19: the offset is dropped. "09:00+05:00", "09:00Z" and "09:00-05:00" all are nine, without a
# word, for parse_time(), for the TimeField of a model in clean() and save(), and for that of a serializer of
# djangorestframework 3.18.3. parse_datetime() keeps it, and a TimeField of a form refuses such texts.
# Hurt: whoever takes times of day from an API or a file, for opening hours, quiet hours or a daily run, from what
# writes them by UTC, as "09:00:00Z": all are there, and all are off by as much as the zone is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'Django==5.2.19' 'djangorestframework==3.18.3' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime, time, timedelta, timezone
from importlib.metadata import version

import django
from django.conf import settings

settings.configure(
    USE_TZ=True,
    TIME_ZONE="UTC",
    INSTALLED_APPS=["rest_framework"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()
from django import forms
from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, models
from django.utils.dateparse import parse_datetime, parse_time
from rest_framework.serializers import TimeField

print("Django", version("Django"), "djangorestframework", version("djangorestframework"))
NINE, FIVE_HOURS = time(9), timezone(timedelta(hours=5))


class Shop(models.Model):
    opens = models.TimeField()

    class Meta:
        app_label = "shops"


with connection.schema_editor() as editor:
    editor.create_model(Shop)


def stored(text):
    return Shop.objects.get(pk=Shop.objects.create(opens=text).pk).opens


READERS = {
    "parse_time()": parse_time,
    "clean() of a model's field": lambda text: Shop._meta.get_field("opens").clean(text, None),
    "save() of a model": stored,
    "rest_framework": TimeField().run_validation,
}
for text in ("09:00", "09:00Z", "09:00:00+05:00", "09:00-05:00"):
    found = {name: read(text) for name, read in READERS.items()}
    print(f"{text:15}", ", ".join(f"{name}: {value}" for name, value in found.items()))
    assert set(found.values()) == {NINE}, "expected by its users: None or an error where there is an offset"

assert parse_datetime("2026-11-29 09:00+05:00") == datetime(2026, 11, 29, 4, tzinfo=timezone.utc)
for text in ("09:00Z", "09:00+05:00"):
    try:
        forms.TimeField().clean(text)
    except forms.ValidationError as error:
        print("a form says of", text, error.messages)
    else:
        raise AssertionError("a form takes it")
try:
    DjangoJSONEncoder().encode(time(9, tzinfo=FIVE_HOURS))
except ValueError as error:
    print("DjangoJSONEncoder:", error)
else:
    raise AssertionError("the encoder takes it")
PYTHON
