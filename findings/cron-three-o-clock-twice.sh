#!/usr/bin/env bash
# Expected: "0 3 * * *" is at three by the clock of the zone, once a day, also on the day on which clocks go back; the
# hour that passes twice is the one before.
# True, in cron 4.4.0 for Node.js: on that day it runs at two, an hour early, and at three once more. In Berlin so
# does each time from 3:00 to 3:59, in New York each from 2:00 to 2:59. Of what is due at two it is once, at four
# once.
# Hurt: whoever sends, bills or pays at three at night, which is when one does: once a year everybody gets two of
# them, and the first ran while what it waits for, due at half past two, was not there yet.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'cron@4.4.0' >/dev/null 2>&1
cd "$folder"
node - <<'NODE'
const assert = require('node:assert/strict');
const { CronTime } = require('cron');

console.log('cron', require('cron/package.json').version, 'Node.js', process.version);

/** The next runs after that moment, as a clock in the zone shows them. */
function runs(expression, zone, after, count) {
  const time = new CronTime(expression, zone);
  const found = [];
  for (let last = new Date(after); found.length < count; ) {
    const next = time.getNextDateFrom(last, zone);
    found.push(next.toFormat('MM-dd HH:mm ZZ'));
    last = next.toJSDate();
  }
  console.log(expression.padEnd(12), zone.padEnd(18), found.join(' | '));
  return found;
}

const [berlin, newYork] = ['Europe/Berlin', 'America/New_York'];
const atTwo = runs('59 2 * * *', berlin, '2026-10-24T00:59:00Z', 2);
const atFour = runs('0 4 * * *', berlin, '2026-10-24T02:00:00Z', 2);
const atThree = runs('0 3 * * *', berlin, '2026-10-24T01:00:00Z', 3);
const late = runs('59 3 * * 0', berlin, '2026-10-18T01:59:00Z', 3);
const there = runs('15 2 * * *', newYork, '2026-10-31T06:15:00Z', 3);
assert.deepEqual(atTwo, ['10-25 02:59 +02:00', '10-26 02:59 +01:00']);
assert.deepEqual(atFour, ['10-25 04:00 +01:00', '10-26 04:00 +01:00']);
const expected = 'expected by its users: without the first';
assert.deepEqual(atThree, ['10-25 02:00 +01:00', '10-25 03:00 +01:00', '10-26 03:00 +01:00'], expected);
assert.deepEqual(late, ['10-25 02:59 +01:00', '10-25 03:59 +01:00', '11-01 03:59 +01:00'], expected);
assert.deepEqual(there, ['11-01 01:15 -05:00', '11-01 02:15 -05:00', '11-02 02:15 -05:00'], expected);
NODE
