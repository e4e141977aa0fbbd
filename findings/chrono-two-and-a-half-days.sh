#!/usr/bin/env bash
# Expected: "in two and a half days" is in sixty hours, as "in 2.5 days" is, or it is null, as "half past nine" is.
# True, in chrono-node 2.10.3 for Node.js: it looks for a date within a text, and the first that it finds may be the end
# of one. "in two and a half days" is "half days", twelve hours from now, "in one and a half hours" is half an hour, "in
# twenty-five minutes" is five, and "in an hour and a half" an hour. The comma of a fraction ends a number as well: "in
# 1,5 hours" is in five. What it read stands in the "text" of parse(); parseDate() has the moment alone.
# Hurt: whoever lets people type when to remind them, in a bot or a task list: the reminder comes two days early, while
# "in 2 days", "in half an hour" and all the others that one tries are right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'chrono-node@2.10.3' >/dev/null 2>&1
cd "$folder"
cat > due.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import * as chrono from 'chrono-node';

console.log('chrono-node', JSON.parse(readFileSync('node_modules/chrono-node/package.json')).version);
const NOON = { instant: new Date('2026-11-29T12:00:00Z'), timezone: 0 };

/** In how many hours that is, as somebody says it at noon; and what was read of it. */
function hours(text) {
  const found = chrono.parseDate(text, NOON, { forwardDate: true });
  if (!found) return null;
  const [{ text: read }] = chrono.parse(text, NOON, { forwardDate: true });
  const away = (found - NOON.instant) / (60 * 60 * 1000);
  console.log(text.padEnd(26), away, JSON.stringify(read));
  return away;
}

assert.equal(hours('in 2.5 days'), 60);
assert.equal(hours('in half an hour'), 0.5);
assert.equal(hours('half past nine'), null);
assert.equal(hours('in two and a half days'), 12, 'expected by its users: 60, or null');
assert.equal(hours('in one and a half hours'), 0.5, 'expected by its users: 1.5, or null');
assert.equal(hours('in twenty-five minutes'), 5 / 60, 'expected by its users: 25 / 60, or null');
assert.equal(hours('in an hour and a half'), 1, 'expected by its users: 1.5, or null');
assert.equal(hours('in 1,5 hours'), 5, 'expected by its users: 1.5, or null');
NODE
TZ=UTC node due.mjs
