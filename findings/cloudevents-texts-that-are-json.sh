#!/usr/bin/env bash
# Expected: the data of an event is the same whichever way it goes over HTTP; and what is sent as application/json is
# JSON, as the binding for HTTP has it: a text within quotes, and false as false.
# True, in cloudevents 2.2.0: in structured mode so it is. In binary mode a text is sent as it is, without quotes. So
# the article "12E4" arrives as the number 120000.0, "4711" as an integer, "null" and "" as None, "[1]" as a list, while
# "0815" and "A1" stay texts; and True and False leave as the words of Python, which no reader of JSON takes, and which
# arrive as texts, both of which are true. Objects, lists and numbers are right in both. As an attribute True is "True",
# where the types of CloudEvents have "true".
# Hurt: whoever sends a key, a code or a flag by itself: its type depends on what happens to be in it, services in other
# languages can't read it at all, and "paid: False" is read as true.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'cloudevents==2.2.0' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

from cloudevents.core.bindings import http
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent

print("cloudevents", version("cloudevents"))
FORMAT = JSONFormat()


def event(data, **attributes):
    told = {"id": "1", "source": "/shop", "type": "paid", "datacontenttype": "application/json"}
    return CloudEvent(told | attributes, data)


def structured(data):
    return http.from_structured(http.to_structured(event(data), FORMAT), FORMAT).get_data()


def binary(data):
    """What is sent, and what it is to whoever reads it."""
    message = http.to_binary(event(data), FORMAT)
    assert message.headers["content-type"] == "application/json"
    arrived = http.from_binary(message, FORMAT).get_data()
    print(f"{data!r:18} is sent as {message.body!r:18} and arrives as {arrived!r}")
    return message.body, arrived


for data in ({"paid": False}, [1], 5, "12E4", "4711", "null", "", "[1]", "0815", "A1", True, False):
    assert structured(data) == data and type(structured(data)) is type(data)
assert binary({"paid": False}) == (b'{"paid": false}', {"paid": False})
assert binary([1]) == (b"[1]", [1])
assert binary("A1") == (b"A1", "A1"), 'expected by its users: b\'"A1"\''
assert binary("0815") == (b"0815", "0815"), 'expected by its users: b\'"0815"\''
assert binary("12E4") == (b"12E4", 120000.0), "expected by its users: the text"
assert binary("4711") == (b"4711", 4711), "expected by its users: the text"
assert binary("null") == (b"null", None), "expected by its users: the text"
assert binary("") == (b"", None), "expected by its users: the text"
assert binary("[1]") == (b"[1]", [1]), "expected by its users: the text"
assert binary(False) == (b"False", "False"), 'expected by its users: b"false", False'
assert binary(True) == (b"True", "True"), 'expected by its users: b"true", True'
headers = http.to_binary(event({}, urgent=True), FORMAT).headers
assert headers["ce-urgent"] == "True", 'expected by its users: "true"'
PYTHON
