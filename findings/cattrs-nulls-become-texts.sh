#!/usr/bin/env bash
# Expected: cattrs refuses what is of another type than its class says, or what can't be read as that: a null where a
# text is to be, a list in the place of a text, a text in the place of a list. So msgspec and pydantic have it.
# True, in cattrs 26.2.1, also with its converter for JSON: str(…), int(…) and bool(…) are called with what comes. A
# null becomes the text "None", a list the text "['a']"; "false" and "no" are True; 2.9 is the integer 2; and "urgent"
# as a list of texts is six letters. That a number becomes a text, and a text a number, is documented; msgspec 0.22.0
# and pydantic 2.14.4 refuse each of these, but for "false", which pydantic reads as False.
# Hurt: whoever takes jobs, messages or settings so: a customer without a name is greeted as None, a form's "false"
# turns on what it should turn off, and each is stored as good data before anybody sees it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'cattrs==26.2.1' 'msgspec==0.22.0' 'pydantic==2.14.4' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from dataclasses import dataclass, field
from importlib.metadata import version

import msgspec
from cattrs.preconf.json import make_converter
from pydantic import TypeAdapter, ValidationError

for name in ("cattrs", "msgspec", "pydantic"):
    print(name, version(name), end="  ")
print()


@dataclass
class Order:
    name: str = ""
    dry_run: bool = False
    pieces: int = 0
    tags: list[str] = field(default_factory=list)


def read(text):
    """What cattrs makes of the JSON, and whether the others refuse it."""
    got = make_converter().loads(text, Order)
    refused = 0
    try:
        msgspec.json.decode(text, type=Order)
    except msgspec.ValidationError:
        refused += 1
    try:
        TypeAdapter(Order).validate_json(text)
    except ValidationError:
        refused += 1
    print(f"{text:24}{got}  refused by {refused} others")
    return got, refused


assert read('{"name": "Ada"}') == (Order(name="Ada"), 0)
expected = "expected by its users: refused"
assert read('{"name": null}') == (Order(name="None"), 2), expected
assert read('{"name": ["a"]}') == (Order(name="['a']"), 2), expected
assert read('{"pieces": 2.9}') == (Order(pieces=2), 2), expected
assert read('{"tags": "urgent"}') == (Order(tags=list("urgent")), 2), expected
assert read('{"dry_run": "false"}')[0] == Order(dry_run=True), "expected by its users: False, or refused"
PYTHON
