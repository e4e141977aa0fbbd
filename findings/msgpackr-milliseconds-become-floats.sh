#!/usr/bin/env bash
# Expected: a whole number is a whole number in MessagePack and in CBOR, which have integers of 64 bits; in JavaScript
# each up to 2 ** 53 is exact. So @msgpack/msgpack writes them, and for another language it is the same number.
# True, in msgpackr 2.1.4 and cbor-x 1.6.9 for Node.js: from 2 ** 32 on a number is written as a float of 64 bits, by
# msgpackr also below -(2 ** 31). Date.now(), which is above that since 1970, an id or a count of bytes arrive in Python
# as 1764417600000.0, while smaller ones are ints; the same field has both types in turn. A bigint is written as an
# integer. Neither README says so; both tell of fractions as floats.
# Hurt: whoever has producers in Node.js and workers in another language: what is typed, as by msgspec, is refused, and
# what is not becomes "id-4294967296.0" in keys, paths and texts, from the day on which the ids pass four thousand
# million, or a file four gigabytes.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'msgpack==1.2.4' 'cbor2==6.3.0' 'msgspec==0.23.0' 2>/dev/null
npm install --silent --no-audit --no-fund --prefix "$folder" \
    'msgpackr@2.1.4' 'cbor-x@1.6.9' '@msgpack/msgpack@3.1.3' >/dev/null 2>&1
cd "$folder"
cat > write.mjs <<'NODE'
import { encode as others } from '@msgpack/msgpack';
import { encode } from 'cbor-x';
import { pack } from 'msgpackr';

const job = { size: 4294967295, id: 4294967296, at: 1764417600000, change: -2147483649, exact: 1764417600000n };
const { exact, ...numbers } = job;
const written = { msgpackr: pack(job), 'cbor-x': encode(job), '@msgpack/msgpack': others(numbers) };
for (const [name, bytes] of Object.entries(written)) console.log(name, Buffer.from(bytes).toString('hex'));
NODE
node write.mjs > written.txt
venv/bin/python - <<'PYTHON'
import json
from pathlib import Path

import cbor2
import msgpack
import msgspec

for name in ("msgpackr", "cbor-x", "@msgpack/msgpack"):
    print(name, json.loads(Path("node_modules", name, "package.json").read_text())["version"])
written = {name: bytes.fromhex(digits) for name, digits in map(str.split, Path("written.txt").open())}
read = {
    "msgpackr": msgpack.unpackb(written["msgpackr"]),
    "cbor-x": dict(cbor2.loads(written["cbor-x"])),
    "@msgpack/msgpack": msgpack.unpackb(written["@msgpack/msgpack"]),
}
for name, job in read.items():
    print(f"{name:17} {job}")
types = {name: [type(value).__name__ for value in job.values()] for name, job in read.items()}
assert types["@msgpack/msgpack"] == ["int"] * 4
assert types["msgpackr"] == ["int", "float", "float", "float", "int"], "expected by its users: five ints"
assert types["cbor-x"] == ["int", "float", "float", "int", "int"], "expected by its users: five ints"
assert f"id-{read['msgpackr']['id']}" == "id-4294967296.0"
try:
    msgspec.msgpack.decode(written["msgpackr"], type=dict[str, int])
    refused = None
except msgspec.ValidationError as error:
    refused = str(error)
print("msgspec, where an int is to be, of msgpackr:", refused)
assert refused is not None
PYTHON
