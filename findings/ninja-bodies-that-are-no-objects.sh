#!/usr/bin/env bash
# Expected: where a Schema is to come in the body, a list, a number or a null is refused, as pydantic refuses them
# for a BaseModel of the same fields, and as the OpenAPI document says: type "object".
# True, in django-ninja 1.7.1 with pydantic 2.14.4: a Schema takes any value, and looks for its fields among the
# attributes of that, as one that answers is filled from a row. A list has none by these names, so that each
# field is at its default: [], null, 5 and [{"queue": "mail"}] are all an empty object. With
# ConfigDict(extra="forbid") they are refused.
# Hurt: whoever has an address that acts on what a selection finds, all of whose fields may be left out. A
# program that sends a list with its selection, in place of that, selects everything, and is told 200.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'django==5.2.19' 'django-ninja==1.7.1' 'pydantic==2.14.4' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json
import logging
from importlib.metadata import version

import django
import pydantic
from django.conf import settings

logging.disable()
settings.configure(ROOT_URLCONF="__main__", ALLOWED_HOSTS=["*"])
django.setup()
from django.test import Client
from django.urls import path
from ninja import NinjaAPI, Schema

print("django-ninja", version("django-ninja"), "pydantic", version("pydantic"))
BODIES = ['{"queue": "mail"}', "{}", "[]", "null", "5", '[{"queue": "mail"}]']


class Selection(Schema):
    queue: str | None = None
    older_than: int | None = None


class Forbidding(Selection):
    model_config = pydantic.ConfigDict(extra="forbid")


class Plain(pydantic.BaseModel):
    queue: str | None = None
    older_than: int | None = None


api = NinjaAPI()


def taking(shape):
    def cancel(request, body: shape):
        return body.model_dump(exclude_none=True)

    return cancel


shapes = {shape.__name__: shape for shape in (Selection, Forbidding, Plain)}
for name, shape in shapes.items():
    api.post(f"/{name}", operation_id=name)(taking(shape))
urlpatterns = [path("", api.urls)]
document = api.get_openapi_schema(path_prefix="")
assert document["components"]["schemas"]["Selection"]["type"] == "object"
seen = {}
for name in shapes:
    for body in BODIES:
        answer = Client().post(f"/{name}", body, content_type="application/json")
        seen[name, body] = json.loads(answer.content) if answer.status_code == 200 else answer.status_code
    print(f"{name + ':':11}", "; ".join(f"{body} is {seen[name, body]}" for body in BODIES))
came = {name: [seen[name, body] for body in BODIES] for name in shapes}
assert came["Plain"] == came["Forbidding"] == [{"queue": "mail"}, {}, 422, 422, 422, 422]
assert came["Selection"] == [{"queue": "mail"}, {}, {}, {}, {}, {}], "expected by its users: 422 from [] on"
PYTHON
