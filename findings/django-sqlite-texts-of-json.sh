#!/usr/bin/env bash
# Expected: values("data__code"), of a JSONField, is what row.data["code"] is.
# True, in Django 5.2.19 with SQLite: a text that happens to be JSON by itself is read as what it
# would be there. The article "12E4" comes as the number 120000.0, "4711" as an integer, "null" as None, "[1]"
# as a list and "Infinity" as a float, while "0815" and "A1" stay texts. row.data has the texts, and filter()
# finds them. With PostgreSQL all stay as they are.
# Hurt: whoever reads single keys of large documents, to export, group or join them: of a column of codes some
# are numbers, by what was drawn; leading digits hide it, and the tests that have "A1" pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'django==5.2.19' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import sqlite3

import django
from django.conf import settings

settings.configure(DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
django.setup()
from django.db import connection, models


class Order(models.Model):
    data = models.JSONField()

    class Meta:
        app_label = "shop"


with connection.schema_editor() as editor:
    editor.create_model(Order)
print("Django", django.__version__, "SQLite", sqlite3.sqlite_version)

CODES = ("A1", "0815", "12E4", "4711", "null", "[1]", "Infinity")
seen = {}
for code in CODES:
    order = Order.objects.create(data={"code": code})
    mine = Order.objects.filter(pk=order.pk)
    assert mine.get().data["code"] == code
    assert mine.filter(data__code=code).exists()
    seen[code] = mine.values_list("data__code", flat=True).get()
    print(f"{code!r} comes as {seen[code]!r}")
assert (seen.pop("A1"), seen.pop("0815")) == ("A1", "0815")
expected = {"12E4": 120000.0, "4711": 4711, "null": None, "[1]": [1], "Infinity": float("inf")}
assert seen == expected, "expected by its users: the texts themselves"
PYTHON
