#!/usr/bin/env bash
# Expected: a queue with a concurrency of one runs one at a time, whatever else one says to it; a task that takes
# longer than its timeout is reported as failed, and the next begins when it has ended.
# True, in p-queue 9.3.5 and bottleneck 2.19.5 for Node.js: with `timeout`, as with `expiration`, the place is given
# to the next as soon as the time is up, while the one before goes on to work. So of six that take a second under a
# timeout of a tenth, all six run side by side. Both documentations recommend to set one, and tell of the error alone.
# Hurt: whoever limits what may run at once because the other side can't bear more: it is just when that gets slow
# that the limit is lifted, and each call that was given up makes it slower. And of two that must not overlap, such as
# writers of one file, both write.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'p-queue@9.3.5' 'bottleneck@2.19.5' >/dev/null 2>&1
cd "$folder"
cat >count.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import Bottleneck from 'bottleneck';
import PQueue from 'p-queue';

for (const name of ['p-queue', 'bottleneck']) {
  console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
}

/** How many tasks of a second run at once at most. */
async function atOnce(name, add) {
  let [running, most] = [0, 0];
  const task = async () => {
    running += 1;
    most = Math.max(most, running);
    await pause(1000);
    running -= 1;
  };
  await Promise.allSettled(Array.from({ length: 6 }, () => add(task)));
  console.log(`${name}: ${most} at once`);
  while (running > 0) await pause(50);
  return most;
}

const [plain, hurried] = [new PQueue({ concurrency: 1 }), new PQueue({ concurrency: 1, timeout: 100 })];
const [still, limiter] = [new Bottleneck({ maxConcurrent: 1 }), new Bottleneck({ maxConcurrent: 1 })];
assert.equal(await atOnce('p-queue', (task) => plain.add(task)), 1);
assert.equal(await atOnce('bottleneck', (task) => still.schedule(task)), 1);
assert.equal(await atOnce('p-queue, timeout', (task) => hurried.add(task)), 6, 'expected by its users: 1');
const expiring = (task) => limiter.schedule({ expiration: 100 }, task);
assert.equal(await atOnce('bottleneck, expiration', expiring), 6, 'expected by its users: 1');
NODE
node count.mjs
