#!/usr/bin/env bash
# Expected: { interval: "every day" } of a job is daily and "every hour" hourly, or they are refused: what is not a text
# that later's parser reads is an error, says Bree of "half an hour". And "every 90 minutes" is each ninety minutes.
# True, in bree 9.2.9 with @breejs/later 4.2.0 for Node.js: the parser wants a number after "every", says where it
# stopped, and Bree does not look: it takes what was read up to there. "every minute" is each hour, "every hour" each
# midnight, "every day" the 1st of the month at midnight, "every day at noon" too, and "every week" once a year. "at
# 9:00 am on weekdays" is on Saturdays, as "weekdays" is no day and the first of a week of none; "at 9:00 am on the last
# friday of the month" is daily. And what was read begins anew with each hour, day and month: "every 90 minutes" is each
# hour, "every 45 minutes" at :00 and :45, "every 25 hours" each midnight. "every 1 day" and "every weekday" are right.
# Hurt: whoever writes an interval as one says it: the backup of each day is one a month, the poll of each minute is an
# hour late, what was for working days is on Saturdays; and an API is asked half as often again as it allows.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'bree@9.2.9' '@breejs/later@4.2.0' >/dev/null 2>&1
cd "$folder"
mkdir jobs && echo > jobs/poll.js
cat > due.cjs <<'NODE'
const assert = require('node:assert/strict');
const later = require('@breejs/later');
const Bree = require('bree');

for (const name of ['bree', '@breejs/later']) console.log(name, require(`./node_modules/${name}/package.json`).version);
const MONDAY = new Date('2026-11-30T12:34:00Z');

/** When a job of such an interval is due, by the schedule that Bree makes of it. */
async function due(interval) {
  const bree = new Bree({ root: `${process.cwd()}/jobs`, logger: false, jobs: [{ name: 'poll', interval }] });
  await bree.init();
  const moments = later.schedule(bree.config.jobs[0].interval).next(4, MONDAY);
  const found = moments
    .filter((moment) => moment > MONDAY)
    .slice(0, 3)
    .map((moment) => moment.toISOString().slice(2, 16))
    .join(' ');
  console.log(interval.padEnd(44), found);
  return found;
}

(async () => {
  assert.equal(await due('every 1 day'), '26-12-01T00:00 26-12-02T00:00 26-12-03T00:00');
  assert.equal(await due('at 9:00 am every weekday'), '26-12-01T09:00 26-12-02T09:00 26-12-03T09:00');
  await assert.rejects(due('half an hour'), /not a String parseable/);
  await assert.rejects(due('every monday'), /not a String parseable/);
  const wanted = 'expected by its users: an error, or each';
  assert.equal(await due('every minute'), '26-11-30T13:00 26-11-30T14:00 26-11-30T15:00', `${wanted} minute`);
  assert.equal(await due('every hour'), '26-12-01T00:00 26-12-02T00:00 26-12-03T00:00', `${wanted} hour`);
  assert.equal(await due('every day'), '26-12-01T00:00 27-01-01T00:00 27-02-01T00:00', `${wanted} day`);
  assert.equal(await due('every day at noon'), '26-12-01T00:00 27-01-01T00:00 27-02-01T00:00', `${wanted} noon`);
  const weekly = (await due('every week')).split(' ');
  assert.deepEqual(weekly.map((moment) => moment.slice(0, 2)), ['27', '28', '29'], `${wanted} week`);
  const saturdays = '26-12-05T09:00 26-12-12T09:00 26-12-19T09:00';
  assert.equal(await due('at 9:00 am on weekdays'), saturdays, `${wanted} weekday`);
  const daily = '26-12-01T09:00 26-12-02T09:00 26-12-03T09:00';
  assert.equal(await due('at 9:00 am on the last friday of the month'), daily, `${wanted} month`);
  const hourly = '26-11-30T13:00 26-11-30T14:00 26-11-30T15:00';
  assert.equal(await due('every 90 minutes'), hourly, `${wanted} ninety minutes`);
  assert.equal(await due('every 45 minutes'), '26-11-30T12:45 26-11-30T13:00 26-11-30T13:45', `${wanted} 45 minutes`);
  assert.equal(await due('every 25 hours'), '26-12-01T00:00 26-12-02T00:00 26-12-03T00:00', `${wanted} 25 hours`);
  process.exit();
})();
NODE
TZ=UTC node due.cjs
