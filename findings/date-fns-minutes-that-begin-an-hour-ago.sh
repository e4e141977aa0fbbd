#!/usr/bin/env bash
# Expected: startOfMinute() of a moment is at most a minute before it, and endOfHour() is not before it, whatever the
# clocks do, as Luxon 3.7.2 and moment 2.30.1 have it.
# True, in date-fns 4.4.0 and dayjs 1.11.23, where the zone of the system goes back an hour: in the second of the two
# hours from two to three each of these is an hour off. startOfSecond(), startOfMinute() and startOfHour(), the same by
# startOf() of dayjs, setMilliseconds(…, 0) and set() give the first of the two, and endOfHour() is over before the
# moment itself. isSameMinute() says of two moments an hour apart that they are one minute. addMinutes() is right.
# Hurt: whoever rounds moments down to count, group, lock or bill by the minute or hour on a machine with a local zone:
# for an hour in autumn all goes to the hour before, which has twice its load, a "run at the next full minute" is in
# the past, at once and again, and what is due "within this minute" is overdue.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" \
  'date-fns@4.4.0' 'dayjs@1.11.23' 'luxon@3.7.2' 'moment@2.30.1' >/dev/null 2>&1
cd "$folder"
TZ=Europe/Berlin node - <<'NODE'
const assert = require('node:assert/strict');
const dateFns = require('date-fns');
const dayjs = require('dayjs');
const { DateTime } = require('luxon');
const moment = require('moment');

for (const name of ['date-fns', 'dayjs', 'luxon', 'moment']) {
  console.log(name, require(`./node_modules/${name}/package.json`).version);
}
const SECOND = 1000;
const HOUR = 60 * 60 * SECOND;
const first = new Date('2026-10-25T02:30:30+02:00');
const second = new Date('2026-10-25T02:30:30+01:00');

/** How many seconds after the second 02:30:30 this is. */
function after(name, found) {
  const seconds = (found - second) / SECOND;
  console.log(name.padEnd(26), new Date(found).toISOString(), seconds);
  return seconds;
}

assert.equal(after('luxon startOf minute', DateTime.fromJSDate(second).startOf('minute').toJSDate()), -30);
assert.equal(after('moment startOf minute', moment(second).startOf('minute').toDate()), -30);
assert.equal(after('date-fns addMinutes 1', dateFns.addMinutes(second, 1)), 60);
assert.equal(after('date-fns startOfMinute', dateFns.startOfMinute(second)), -3630, 'expected by its users: -30');
assert.equal(after('date-fns startOfHour', dateFns.startOfHour(second)), -5430, 'expected by its users: -1830');
assert.equal(after('date-fns endOfHour', dateFns.endOfHour(second)), -1830.001, 'expected by its users: 1769.999');
assert.equal(after('date-fns setMilliseconds 0', dateFns.setMilliseconds(second, 0)), -3600, 'expected: 0');
assert.equal(after('dayjs startOf minute', dayjs(second).startOf('minute').toDate()), -3630, 'expected: -30');
assert.equal(after('dayjs endOf hour', dayjs(second).endOf('hour').toDate()), -1830.001, 'expected: 1769.999');
assert.equal(second - first, HOUR);
assert.equal(dateFns.isSameMinute(first, second), true, 'expected by its users: false');
NODE
