#!/usr/bin/env bash
# Expected: "10MiB", "10M" and "1.5 GiB" are as many bytes as they say, or null, as "ten" is.
# True, in bytes 3.1.2 for Node.js, by which express 5.3.0 and body-parser read a limit: what begins with a number and
# has a unit that it does not know is that many bytes, without the fraction, and without a word. So "10MiB" and "10M"
# are ten bytes, "64K" is 64, "1.5 GiB" and "1,5 GB" are one, "1e6" too, and "10 MB/s" is ten. "kb", "mb", "gb", "tb"
# and "pb" are known. That a number without a unit is bytes is documented.
# Hurt: whoever takes a size from an environment or a form, where "10M" is what nginx, PHP and systemd write: each body
# of more than ten bytes is refused with 413; and where the size is one from which on something is done, to compress, to
# spill or to split, it is done to all, and no error says so.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'bytes@3.1.2' 'express@5.3.0' >/dev/null 2>&1
cd "$folder"
node - <<'NODE'
const assert = require('node:assert/strict');
const bytes = require('bytes');
const express = require('express');

for (const name of ['bytes', 'express']) console.log(name, require(`./node_modules/${name}/package.json`).version);

function size(text) {
  const found = bytes(text);
  console.log(text.padEnd(10), found);
  return found;
}

/** How a job of some forty bytes is answered under such a limit. */
async function answered(limit) {
  const app = express();
  app.use(express.json({ limit }));
  app.post('/', (request, response) => response.sendStatus(200));
  app.use((error, request, response, next) => response.sendStatus(error.status));
  const server = app.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const body = JSON.stringify({ kind: 'mail', to: 'anna@example.org' });
  const headers = { 'Content-Type': 'application/json' };
  const { status } = await fetch(`http://127.0.0.1:${server.address().port}/`, { method: 'POST', body, headers });
  server.close();
  console.log(`limit ${limit}: ${body.length} bytes are answered with ${status}`);
  return status;
}

(async () => {
  assert.equal(size('10MB'), 10 * 1024 ** 2);
  assert.equal(size('1.5gb'), 1.5 * 1024 ** 3);
  assert.equal(size('ten'), null);
  assert.equal(size('10MiB'), 10, 'expected by its users: 10485760, or null');
  assert.equal(size('10M'), 10, 'expected by its users: 10485760, or null');
  assert.equal(size('64K'), 64, 'expected by its users: 65536, or null');
  assert.equal(size('1.5 GiB'), 1, 'expected by its users: 1610612736, or null');
  assert.equal(size('1,5 GB'), 1, 'expected by its users: 1610612736, or null');
  assert.equal(size('1e6'), 1, 'expected by its users: 1000000, or null');
  assert.equal(size('10 MB/s'), 10, 'expected by its users: null');
  assert.equal(await answered('10MB'), 200);
  assert.equal(await answered('10M'), 413, 'expected by its users: 200, or an error where the limit is set');
  process.exit();
})();
NODE
