#!/usr/bin/env bash
# Expected: orjson writes a dataclass "with every attribute serialized", as it says of itself; that is, with the
# fields that asdict(), msgspec and pydantic have.
# True, in orjson 3.13.0: a field whose name begins with an underscore is left out, without a word. With slots it is so
# as well. And without slots an attribute that is no field, but was set on the object, is written.
# Hurt: whoever keeps what the database calls _id, or what OpenSearch calls _score, in dataclasses, or hands them to
# jobs: the one thing by which a row is found again is missing on the other side, or is at its default there, so
# that nothing fails. And what somebody noted on the object in passing goes out with it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'orjson==3.13.0' 'msgspec==0.22.0' 'pydantic==2.14.4' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json
from dataclasses import asdict, dataclass
from importlib.metadata import version

import msgspec
import orjson
import pydantic


@dataclass
class Document:
    title: str
    _id: int = 0


@dataclass(slots=True)
class Slotted:
    title: str
    _id: int = 0


for name in ("orjson", "msgspec", "pydantic"):
    print(name, version(name), end="  ")
print()
document = Document("payroll", 42)
written = {
    "asdict() and json": json.dumps(asdict(document)),
    "msgspec": msgspec.json.encode(document),
    "pydantic": pydantic.TypeAdapter(Document).dump_json(document),
    "orjson": orjson.dumps(document),
    "orjson, with slots": orjson.dumps(Slotted("payroll", 42)),
}
document.note = "by hand"
written["orjson, with a note"] = orjson.dumps(document)
read = {name: json.loads(text) for name, text in written.items()}
for name, fields in read.items():
    print(f"{name:20} {fields}")
whole = {"title": "payroll", "_id": 42}
assert read["asdict() and json"] == read["msgspec"] == read["pydantic"] == whole
assert read["orjson"] == read["orjson, with slots"] == {"title": "payroll"}, f"expected: {whole}"
assert read["orjson, with a note"] == {"title": "payroll", "note": "by hand"}, f"expected: {whole}"
PYTHON
