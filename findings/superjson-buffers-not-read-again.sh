#!/usr/bin/env bash
# Expected: what stringify() of superjson writes its parse() reads, as it is for what JSON has no room for; and what it
# can't write it refuses. Typed arrays come back, and a Buffer of Node.js, as a file or a response gives one, is one.
# True, in superjson 2.2.7 for Node.js: a Buffer is written, and the whole text that it is in can't be read again, for
# the sake of one field: parse() throws "Trying to deserialize unknown typed array". And an ArrayBuffer, which
# response.arrayBuffer() gives, comes back as an empty object, without a word. A Uint8Array is well; devalue 6.0.3 has
# the bytes of all three.
# Hurt: whoever keeps jobs, results or caches so: what was enqueued without an error fails in each worker that takes it,
# and the rest of the message with it; and the attachment that was an ArrayBuffer is empty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'superjson@2.2.7' 'devalue@6.0.3' >/dev/null 2>&1
cat >"$folder/bytes.mjs" <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as devalue from 'devalue';
import superjson from 'superjson';

for (const name of ['superjson', 'devalue']) {
  console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
}

/** The bytes of a file that went through one of the two, beside an order of which nobody doubts. */
function read({ stringify, parse }, file) {
  const text = stringify({ order: 42, file });
  try {
    const found = parse(text).file;
    return ArrayBuffer.isView(found) || found instanceof ArrayBuffer ? [...new Uint8Array(found)] : found;
  } catch (error) {
    return error.message;
  }
}

const bytes = new Uint8Array([1, 2, 3]);
const files = { Uint8Array: bytes, Buffer: Buffer.from(bytes), ArrayBuffer: bytes.buffer };
const found = {};
for (const [name, file] of Object.entries(files)) {
  found[name] = read(superjson, file);
  console.log(name, 'by superjson:', found[name], 'by devalue:', read(devalue, file));
  assert.deepEqual(read(devalue, file), [1, 2, 3]);
}
assert.deepEqual(found.Uint8Array, [1, 2, 3]);
assert.match(found.Buffer, /unknown typed array/, 'expected by its users: 1, 2, 3');
assert.deepEqual(found.ArrayBuffer, {}, 'expected by its users: 1, 2, 3, or an error');
NODE
cd "$folder"
node bytes.mjs
