#!/usr/bin/env bash
# Expected: what a parser of crontabs does not know, such as the last Friday (5L), the first Monday (1#1) or the weekday
# next to the 15th (15W), it refuses; cron-schedule says of "L", "LW" and "?" that they are not a number.
# True, in cron-schedule 6.0.0 for Node.js: what stands behind a number is dropped without a word. "5L" is each Friday,
# "1#1" each Monday, "15W" the 15th, a Sunday too, "9am" nine, and "9:30" as well. And of a number with a step the step
# is dropped: "5/20" is at :05 alone. croner 11.0.1, cron-parser 5.10.6 and cronosjs 1.7.1 read 5L and 1#1 as they are
# meant; of "5/20" croner says that it is an error, and the two others have :05, :25 and :45.
# Hurt: whoever moves a schedule to it, or lets people type one: what should be paid once a month is paid each week, and
# the timer that was to fire three times an hour fires once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" \
  'cron-schedule@6.0.0' 'croner@11.0.1' 'cron-parser@5.10.6' 'cronosjs@1.7.1' >/dev/null 2>&1
cd "$folder"
cat > due.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CronExpressionParser } from 'cron-parser';
import { parseCronExpression } from 'cron-schedule';
import { Cron } from 'croner';
import cronos from 'cronosjs';

for (const name of ['cron-schedule', 'croner', 'cron-parser', 'cronosjs']) {
  console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);
}
const START = new Date('2026-11-01T00:00:00Z');

const told = (days) => days.map((day) => day.toISOString().slice(5, 16)).join(' ');

/** The next three moments of an expression, by cron-schedule. */
function due(expression) {
  const found = told(parseCronExpression(expression).getNextDates(3, START));
  console.log(`${expression.padEnd(14)} ${found}`);
  return found;
}

/** The same by the three others. */
function byOthers(expression) {
  return [
    told(new Cron(expression, { timezone: 'UTC', paused: true }).nextRuns(3, START)),
    told(CronExpressionParser.parse(expression, { tz: 'UTC', currentDate: START }).take(3).map((day) => day.toDate())),
    told(cronos.CronosExpression.parse(expression, { timezone: 'UTC' }).nextNDates(START, 3)),
  ];
}

const LAST_FRIDAYS = '11-27T09:00 12-25T09:00 01-29T09:00';
const FIRST_MONDAYS = '11-02T09:00 12-07T09:00 01-04T09:00';
assert.deepEqual(byOthers('0 9 * * 5L'), [LAST_FRIDAYS, LAST_FRIDAYS, LAST_FRIDAYS]);
assert.deepEqual(byOthers('0 9 * * 1#1'), [FIRST_MONDAYS, FIRST_MONDAYS, FIRST_MONDAYS]);
assert.throws(() => byOthers('5/20 * * * *'), /numeric prefix/);
for (const unknown of ['0 9 L * *', '0 9 LW * *', '0 9 ? * *']) assert.throws(() => due(unknown), /NaN/);
const wanted = 'expected by its users: an error, or';
assert.equal(due('0 9 * * 5L'), '11-06T09:00 11-13T09:00 11-20T09:00', `${wanted} ${LAST_FRIDAYS}`);
assert.equal(due('0 9 * * 1#1'), '11-02T09:00 11-09T09:00 11-16T09:00', `${wanted} ${FIRST_MONDAYS}`);
assert.equal(due('0 9 15W * *'), '11-15T09:00 12-15T09:00 01-15T09:00', `${wanted} 11-16T09:00 at first`);
assert.equal(due('0 9:30 * * *'), '11-01T09:00 11-02T09:00 11-03T09:00', 'expected by its users: an error');
assert.equal(due('0 9am * * *'), '11-01T09:00 11-02T09:00 11-03T09:00');
assert.equal(due('0 9pm * * *'), '11-01T09:00 11-02T09:00 11-03T09:00', 'expected by its users: an error');
assert.equal(due('5/20 * * * *'), '11-01T00:05 11-01T01:05 11-01T02:05', `${wanted} :05, :25 and :45`);
NODE
TZ=UTC node due.mjs
