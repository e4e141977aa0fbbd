#!/usr/bin/env bash
# Expected: of a moment in a zone, add(1, "day") or add(1, "month") is the same time of another day by the clock of
# that zone, as in Luxon; and format() and toISOString() of it are one moment.
# True, in dayjs 1.11.23 with its plugins utc and timezone: the offset stays what it was. A day after 09:00 on the
# Saturday before the change is 09:00 with the offset of summer, which is eight o'clock in Berlin; a month later it is
# so too. And where the system's zone changes its clocks as well, toISOString() is another moment than format() tells:
# an hour apart, of one object. Reading its text anew by tz() helps.
# Hurt: whoever reckons the next run, reminder or end of a trial so: what crosses a change is an hour off on a server
# in UTC, and on a laptop in Berlin it is well as long as nobody formats it, so that tests there pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'dayjs@1.11.23' 'luxon@3.7.2' >/dev/null 2>&1
cd "$folder"
cat >reckon.js <<'NODE'
const assert = require('node:assert/strict');
const dayjs = require('dayjs');
const { DateTime } = require('luxon');
dayjs.extend(require('dayjs/plugin/utc'));
dayjs.extend(require('dayjs/plugin/timezone'));

const ZONE = 'Europe/Berlin';
console.log('dayjs', require('dayjs/package.json').version, 'with the system in', process.env.TZ);

/** Both ways to tell it by dayjs, and the moment by Luxon. */
function later(start, amount, unit) {
  const moment = dayjs.tz(start, ZONE).add(amount, unit);
  const right = DateTime.fromISO(start.replace(' ', 'T'), { zone: ZONE }).plus({ [unit]: amount });
  const told = [moment.format(), moment.toISOString(), right.toUTC().toISO()];
  console.log(`${start} and ${amount} ${unit}:`, told.join('  '));
  return told;
}

const plain = later('2026-06-10 09:00', 1, 'day');
const day = later('2026-10-24 09:00', 1, 'day');
const month = later('2026-10-20 09:00', 1, 'month');
const spring = later('2026-03-28 09:00', 1, 'day');
assert.deepEqual(plain, ['2026-06-11T09:00:00+02:00', '2026-06-11T07:00:00.000Z', '2026-06-11T07:00:00.000Z']);
const [wrong, right] = ['2026-10-25T07:00:00.000Z', '2026-10-25T08:00:00.000Z'];
const iso = process.env.TZ === 'UTC' ? wrong : right;
assert.deepEqual(day, ['2026-10-25T09:00:00+02:00', iso, right], 'expected by its users: +01:00, and the last twice');
assert.equal(month[0], '2026-11-20T09:00:00+02:00', 'expected by its users: +01:00');
assert.equal(spring[0], '2026-03-29T09:00:00+01:00', 'expected by its users: +02:00');
NODE
TZ=UTC node reckon.js
TZ=Europe/Berlin node reckon.js
