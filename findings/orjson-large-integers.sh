#!/usr/bin/env bash
# Expected: an integer in JSON is read as that integer, as Python's json, msgspec, ujson and simplejson read
# it; or, by a library that has only 64 bits, it is refused, as orjson.dumps() refuses to write it.
# True, in orjson 3.13.0: loads() makes a float of an integer that takes more than 64 bits. It is of another
# type and, but for luck, another number: of 340282366920938463463374607431768211297, a UUID as an integer,
# comes 3.402823669209385e+38. What is written next, by anybody, is that.
# Hurt: whoever has keys of 128 bits in JSON, or amounts in the smallest coin (one ether is 10 ** 18 of them,
# and nineteen are more than 64 bits hold), and put orjson in the place of json, for it is quicker.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'orjson==3.13.0' 'msgspec==0.22.0' 'ujson==6.1.0' 'simplejson==4.3.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version

import msgspec
import orjson
import simplejson
import ujson

READERS = {
    "json": json.loads,
    "msgspec": msgspec.json.decode,
    "ujson": ujson.loads,
    "simplejson": simplejson.loads,
    "orjson": orjson.loads,
}
print("orjson", version("orjson"))
for given in (2**64 - 1, 2**64, 20 * 10**18 + 1, 340282366920938463463374607431768211297):
    read = {name: reader(str(given)) for name, reader in READERS.items()}
    print(f"{given}: read by orjson as {read['orjson']!r}")
    ours = read.pop("orjson")
    assert all(type(value) is int and value == given for value in read.values())
    if given < 2**64:
        assert ours == given
        continue
    assert type(ours) is float, "expected by its users: an int, or JSONDecodeError"
    try:
        orjson.dumps(given)
    except orjson.JSONEncodeError as error:
        print("    and to write it is refused:", error)
    else:
        raise AssertionError("it is written now")
PYTHON
