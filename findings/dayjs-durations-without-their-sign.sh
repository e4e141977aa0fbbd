#!/usr/bin/env bash
# Expected: what toISOString() of a duration writes, dayjs.duration() reads as the same duration, as in moment and in
# Luxon; its documentation has both.
# True, in dayjs 1.11.23 with its plugin duration: it writes a minus in front, and when it reads a text it does not look
# there: "-PT15M" is a quarter of an hour ahead. Of units with different signs it writes one minus for all of them:
# { hours: -1, minutes: 30 }, which it knows is half an hour ago, goes out as "-PT1H30M". And with the comma of ISO 8601
# nothing is read, without an error: "PT1,5H" is no time at all, which Luxon says is invalid, and moment reads. Its
# issues 1516 and 1788 are open, since 2021 and 2022.
# Hurt: whoever keeps or sends offsets as text, such as the reminder "-PT15M" of a calendar: it comes a quarter of an
# hour after the appointment. In the process that made the duration it is right.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" \
  'dayjs@1.11.23' 'moment@2.30.1' 'luxon@3.7.2' >/dev/null 2>&1
cd "$folder"
cat > durations.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import dayjs from 'dayjs';
import duration from 'dayjs/plugin/duration.js';
import { Duration } from 'luxon';
import moment from 'moment';

dayjs.extend(duration);
console.log('dayjs', JSON.parse(readFileSync('node_modules/dayjs/package.json')).version);
const MINUTE = 60_000;

/** The minutes that a text is, as each of the libraries has it. */
function minutes(text) {
  const found = dayjs.duration(text).asMilliseconds() / MINUTE;
  const others = [moment.duration(text).asMilliseconds() / MINUTE, Duration.fromISO(text).toMillis() / MINUTE];
  console.log(`${text.padEnd(10)} dayjs ${found}, moment ${others[0]}, Luxon ${others[1]}`);
  return found;
}

/** The text of a duration, and how many minutes the duration was. */
function written(given) {
  const made = dayjs.duration(given);
  const found = [made.asMilliseconds() / MINUTE, made.toISOString()];
  console.log(`${JSON.stringify(given).padEnd(25)} is ${found[0]} minutes, and ${found[1]}`);
  return found;
}

assert.equal(minutes('PT15M'), 15);
assert.deepEqual(written({ minutes: -15 }), [-15, '-PT15M']);
assert.equal(minutes('-PT15M'), 15, 'expected by its users: -15');
assert.equal(minutes('-P1D'), 1440, 'expected by its users: -1440');
assert.equal(minutes('PT-15M'), -15);
assert.deepEqual(written({ hours: -1, minutes: 30 }), [-30, '-PT1H30M'], "expected by its users: '-PT30M' or the like");
assert.equal(minutes('PT1.5H'), 90);
assert.equal(minutes('PT1,5H'), 0, 'expected by its users: 90');
NODE
TZ=UTC node durations.mjs
