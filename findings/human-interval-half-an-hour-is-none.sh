#!/usr/bin/env bash
# Expected: "half an hour" is thirty minutes, "an hour" is sixty and "two and a half days" is sixty hours; and what it
# does not understand is NaN, as "1h" is.
# True, in human-interval 2.0.1 for Node.js: of words that are no numbers, and of what stands next to one, it makes a
# zero: "an hour", "half an hour", "every hour" and "a couple of hours" are 0 milliseconds. "one and a half hours" is
# one, "two and a half days" is two, and of "1,5 hours" the half is gone. Agenda 6.2.6, which reads agenda.every("half
# an hour", …) by it, refuses NaN and takes a zero: the next run is due at the moment at which the last one began.
# Hurt: whoever writes an interval as one says it: what should run twice an hour runs again as soon as it has ended, for
# ever, against whatever it calls; and what is to come each two and a half days comes a fifth too early.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'human-interval@2.0.1' 'agenda@6.2.6' >/dev/null 2>&1
cd "$folder"
cat > interval.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { Job } from 'agenda';
import humanInterval from 'human-interval';

for (const name of ['human-interval', 'agenda']) {
  console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
}
const HOUR = 60 * 60 * 1000;
const BEGAN = new Date('2026-11-29T12:00:00Z');

/** How many hours a text is. */
function hours(text) {
  const found = humanInterval(text) / HOUR;
  console.log(text.padEnd(22), found);
  return found;
}

/** How many hours after the last run a job of Agenda is due again. */
function again(interval) {
  const agenda = { attrs: {}, definitions: {} };
  const job = new Job(agenda, { name: 'poll', type: 'normal', lastRunAt: BEGAN, repeatInterval: interval });
  job.computeNextRunAt();
  const found = job.attrs.nextRunAt && (job.attrs.nextRunAt - BEGAN) / HOUR;
  console.log(`agenda: ${interval}`.padEnd(22), found, job.attrs.failReason ?? '');
  return found;
}

assert.equal(hours('one hour'), 1);
assert.equal(hours('1.5 hours'), 1.5);
assert.equal(hours('twenty-five minutes'), 25 / 60);
assert.equal(hours('1h'), NaN);
assert.equal(hours('an hour'), 0, 'expected by its users: 1, or NaN');
assert.equal(hours('half an hour'), 0, 'expected by its users: 0.5, or NaN');
assert.equal(hours('every hour'), 0, 'expected by its users: 1, or NaN');
assert.equal(hours('a couple of hours'), 0, 'expected by its users: 2, or NaN');
assert.equal(hours('one and a half hours'), 1, 'expected by its users: 1.5, or NaN');
assert.equal(hours('two and a half days'), 48, 'expected by its users: 60, or NaN');
assert.equal(hours('1,5 hours'), 1, 'expected by its users: 1.5, or NaN');
assert.equal(again('1.5 hours'), 1.5);
assert.equal(again('1h'), null);
assert.equal(again('half an hour'), 0, 'expected by its users: 0.5, or an error');
process.exit();
NODE
TZ=UTC node interval.mjs
