#!/usr/bin/env bash
# Expected: a Schema answers what pydantic makes of it: a datetime with all its microseconds, and no NaN, which is
# not in JSON.
# True, in django-ninja 1.7.1 with pydantic 2.14.4: pydantic checks, and Django's encoder writes. It cuts a
# datetime to milliseconds, and writes NaN and Infinity as they are; model_dump_json() of the same object has
# six digits and null.
# Hurt: whoever sends a moment back: "what has changed since" gives the last row again and again, as it is later
# than the moment that was told for it; "if it is still as I read it" never is; and clients in other languages
# fail to read the one answer that has a NaN. With the round moments of tests all is well.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'django==5.2.19' 'django-ninja==1.7.1' 'pydantic==2.14.4' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from importlib.metadata import version

import django
from django.conf import settings

settings.configure(ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"])
django.setup()
from django.test import Client
from django.urls import path
from ninja import NinjaAPI, Schema

print("django-ninja", version("django-ninja"), "pydantic", version("pydantic"))
api = NinjaAPI()


class Order(Schema):
    changed: datetime
    rate: float


ORDER = Order(changed=datetime(2026, 11, 28, 12, 0, 0, 123456, tzinfo=UTC), rate=float("nan"))


@api.get("/orders", response=list[Order])
def orders(request, since: datetime):
    return [ORDER] if since < ORDER.changed else []


urlpatterns = [path("", api.urls)]
answer = Client().get("/orders", {"since": "2026-01-01T00:00:00Z"})
(told,) = answer.json()
again = Client().get("/orders", {"since": told["changed"]}).json()
print("answered:         ", answer.content.decode())
print("model_dump_json():", ORDER.model_dump_json())
print("since the moment that was answered there are", len(again))
assert ORDER.model_dump_json() == '{"changed":"2026-11-28T12:00:00.123456Z","rate":null}'
assert told["changed"] == "2026-11-28T12:00:00.123Z", "expected by its users: six digits"
assert b"NaN" in answer.content, "expected by its users: null"
assert len(again) == 1, "expected by its users: none"
PYTHON
