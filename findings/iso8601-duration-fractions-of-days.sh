#!/usr/bin/env bash
# Expected: "P0.5D" is half a day, as the README of iso8601-duration says: a fraction may stand at the smallest unit of
# a text, with P0.5D for its example; and what it can't read it refuses, by a RangeError.
# True, in iso8601-duration 2.1.4 for Node.js: of years, months, weeks and days no fraction is read. By itself it is
# refused, the example too. Behind a larger unit the text ends there, without a word: "P1W0.5D" is a week, "P2M1.5W" two
# months, "P1Y0.5M" a year. Fractions of hours, minutes and seconds are well. Luxon 3.7.2 has all of them.
# Hurt: whoever takes retention, notice or retry times by an API: what is to be kept for ten days and a half as
# "P1W3.5D" is deleted after a week, and nobody was told that the text was not understood.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'iso8601-duration@2.1.4' 'luxon@3.7.2' >/dev/null 2>&1
cd "$folder"
cat > read.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { parse, toSeconds } from 'iso8601-duration';
import { Duration } from 'luxon';

console.log('iso8601-duration', JSON.parse(readFileSync('node_modules/iso8601-duration/package.json')).version);
const HOUR = 60 * 60;
const DAY = 24 * HOUR;
const JULY = new Date('2026-07-01T00:00:00Z');

/** How many seconds the text is to the library, from a first of July; null where it refuses. */
function seconds(text) {
  let read = null;
  try {
    read = toSeconds(parse(text), JULY);
  } catch (error) {
    assert(error instanceof RangeError);
  }
  console.log(text.padEnd(8), 'is', read, 'seconds; Luxon has', Duration.fromISO(text).toISO());
  return read;
}

assert.equal(seconds('PT1.5H'), 1.5 * HOUR);
assert.equal(seconds('P1DT12H'), 1.5 * DAY);
assert.equal(seconds('P0.5D'), null, 'expected by its users: half a day');
assert.equal(seconds('P1W0.5D'), 7 * DAY, 'expected by its users: 7.5 days');
assert.equal(seconds('P1W3.5D'), 7 * DAY, 'expected by its users: 10.5 days');
assert.equal(seconds('P2M1.5W'), 62 * DAY, 'expected by its users: 72.5 days');
assert.equal(seconds('P1Y0.5M'), 365 * DAY, 'expected by its users: about 380 days');
NODE
TZ=UTC node read.mjs
