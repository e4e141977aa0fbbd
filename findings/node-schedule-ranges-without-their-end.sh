#!/usr/bin/env bash
# Expected: a Range has its end, as its README shows: Range(4, 6) of the weekdays is Thursday, Friday and Saturday. With
# the "optional step parameter" it takes each second or third of the same: Range(8, 18, 2) of the hours is 8, 10 and so
# on to 18, as "8-18/2" is. And a range from 0 to 0 is 0.
# True, in node-schedule 2.1.1 for Node.js: with a step other than one the end is left out. Range(8, 18, 2) is without
# 18, Range(1, 5, 2) of the weekdays without Friday, and Range(0, 30, 30) of the minutes without :30. Its tests have it
# so on purpose; what explains it to its users does not say it. An end of 0 is taken for none given, and becomes 60, so
# that Range(0, 0) is not Sunday but each day, or each minute. A text for cron has all of them right.
# Hurt: whoever writes a crontab anew as a rule: the last run of each day or week is missing, and all others are there.
# Or reckons the end of a range: what was to run on the hour runs sixty times.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'node-schedule@2.1.1' 'cron-parser@4.9.0' >/dev/null 2>&1
cd "$folder"
cat > rules.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import cronParser from 'cron-parser';
import schedule from 'node-schedule';

console.log('node-schedule', JSON.parse(readFileSync('node_modules/node-schedule/package.json')).version);
const SUNDAY = new Date('2026-11-29T00:00:00Z');
const WEEK = 7 * 24 * 60 * 60 * 1000;

/** The moments of a week from that Sunday on, of one field of each. */
function moments(following, field) {
  const found = [];
  for (let at = following(new Date(SUNDAY - 1000)); at - SUNDAY < WEEK; at = following(at)) found.push(field(at));
  return found;
}

function byRule(fields, field) {
  const rule = Object.assign(new schedule.RecurrenceRule(), { tz: 'Etc/UTC' }, fields);
  return moments((after) => new Date(rule.nextInvocationDate(after).getTime()), field);
}

function byCron(expression, field) {
  return moments(
    (after) => cronParser.parseExpression(expression, { currentDate: after, tz: 'Etc/UTC' }).next().toDate(),
    field,
  );
}

function compare(name, expression, fields, field) {
  const [rule, cron] = [byRule(fields, field), byCron(expression, field)];
  const first = (all) => all.slice(0, 8).join(' ') + (all.length > 8 ? ` … (${all.length})` : '');
  console.log(`${name.padEnd(32)} ${first(rule)}\n  ${expression.padEnd(30)} ${first(cron)}`);
  return rule;
}

const day = (at) => at.getUTCDay();
const hour = (at) => at.getUTCHours();
const minute = (at) => at.getUTCMinutes();
const { Range } = schedule;

const NINE = { hour: 9, minute: 0 };
const SUNDAYS = { dayOfWeek: 0 };

let found = compare('Range(4, 6) of weekdays', '0 9 * * 4-6', { ...NINE, dayOfWeek: new Range(4, 6) }, day);
assert.deepEqual(found, [4, 5, 6]);
found = compare('Range(1, 5, 2) of weekdays', '0 9 * * 1-5/2', { ...NINE, dayOfWeek: new Range(1, 5, 2) }, day);
assert.deepEqual(found, [1, 3], 'expected by its users: 1, 3, 5');
found = compare('Range(8, 18, 2) of hours', '0 8-18/2 * * 0', { ...SUNDAYS, minute: 0, hour: new Range(8, 18, 2) }, hour);
assert.deepEqual(found, [8, 10, 12, 14, 16], 'expected by its users: 18 as well');
const halves = { ...SUNDAYS, hour: 9, minute: new Range(0, 30, 30) };
found = compare('Range(0, 30, 30) of minutes', '0-30/30 9 * * 0', halves, minute);
assert.deepEqual(found, [0], 'expected by its users: 0, 30');
found = compare('Range(0, 0) of weekdays', '0 9 * * 0-0', { ...NINE, dayOfWeek: new Range(0, 0) }, day);
assert.deepEqual(found, [0, 1, 2, 3, 4, 5, 6], 'expected by its users: 0');
found = compare('Range(0, 0) of minutes', '0-0 9 * * 0', { ...SUNDAYS, hour: 9, minute: new Range(0, 0) }, minute);
assert.equal(found.length, 60, 'expected by its users: 1');
NODE
TZ=UTC node rules.mjs
