#!/usr/bin/env bash
# Expected: the header of W3C's baggage is percent-encoded: a plus in it is a plus, a blank is %20, and what
# follows a value after a semicolon are properties, which are not of the value.
# True, in opentelemetry-api 1.45.2: it is read and written as forms are. A plus that came becomes a blank, a
# blank leaves as a plus, which other languages read as one, and properties are made part of the value. From
# one process of Python to another all seems well.
# Hurt: whoever tells jobs, tenants or customers apart by what another service sent along: "+49 30 1234", a
# time with an offset (12:00+01:00) or base64 arrives as another text, and is not found; and a "free;tier=a"
# is not "free".
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'opentelemetry-api==1.45.2' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version
from urllib.parse import unquote

from opentelemetry import baggage
from opentelemetry.baggage.propagation import W3CBaggagePropagator

print("opentelemetry-api", version("opentelemetry-api"))
propagator = W3CBaggagePropagator()
HEADER = "at=12:00+01:00,key=a+b/c,name=Jane%20Doe,plan=free;tier=a"
read = dict(baggage.get_all(propagator.extract({"baggage": HEADER})))
print(f"{HEADER} is read as {read}")
assert read["name"] == "Jane Doe"
assert read["at"] == "12:00 01:00", "expected by its users: 12:00+01:00"
assert read["key"] == "a b/c", "expected by its users: a+b/c"
assert read["plan"] == "free;tier=a", "expected by its users: free"

written = {}
propagator.inject(written, context=baggage.set_baggage("name", "Jane Doe"))
print("Jane Doe is written as", written["baggage"], "which percent-decodes to", unquote(written["baggage"]))
assert written["baggage"] == "name=Jane+Doe", "expected by its users: name=Jane%20Doe"
assert baggage.get_baggage("name", propagator.extract(written)) == "Jane Doe"
PYTHON
