#!/usr/bin/env bash
# Expected: of the weekdays of a crontab 0 and 7 are both Sunday, as cron has them, or 7 is refused, as Bree refuses
# what its check of an expression does not know (such as a range over the end, or "mon").
# True, in bree 9.2.9 for Node.js: the check takes 7, and the schedule that is made of it takes it for Saturday. So
# "7" is each Saturday, "5-7" is Friday and Saturday, and "1-7" leaves the Sunday out. 0 is Sunday.
# Hurt: whoever moves a crontab to it: the weekly clean-up or restart that waited for the quiet Sunday runs on the
# Saturday, among the customers, and what is to run daily pauses each week.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'bree@9.2.9' '@breejs/later@4.2.0' >/dev/null 2>&1
cd "$folder"
mkdir jobs && touch jobs/report.js
node - <<'NODE'
const assert = require('node:assert/strict');
const Bree = require('bree');
const later = require('@breejs/later');

console.log('bree', require('bree/package.json').version, 'later', require('@breejs/later/package.json').version);
const EPIPHANY = new Date('2026-01-06T00:00:00Z'); // a Tuesday

/** The weekdays of the seven next runs, or how the expression is refused. */
async function weekdays(cron) {
  const bree = new Bree({ root: `${process.cwd()}/jobs`, logger: false, jobs: [{ name: 'report', cron }] });
  try {
    await bree.init();
  } catch (error) {
    return 'refused';
  }
  later.date.UTC();
  const runs = later.schedule(bree.config.jobs[0].interval).next(7, EPIPHANY);
  return [...new Set(runs.map((run) => run.toUTCString().slice(0, 3)))].sort().join(' ');
}

(async () => {
  const seen = {};
  for (const days of ['0', '7', '5-7', '1-7', '1-5', '5-1', 'mon']) {
    seen[days] = await weekdays(`0 9 * * ${days}`);
    console.log(`0 9 * * ${days.padEnd(5)} ${seen[days]}`);
  }
  assert.equal(seen['0'], 'Sun');
  assert.equal(seen['1-5'], 'Fri Mon Thu Tue Wed');
  assert.deepEqual([seen['5-1'], seen.mon], ['refused', 'refused']);
  assert.equal(seen['7'], 'Sat', 'expected by its users: Sun, or refused');
  assert.equal(seen['5-7'], 'Fri Sat', 'expected by its users: Fri Sat Sun, or refused');
  assert.equal(seen['1-7'], 'Fri Mon Sat Thu Tue Wed', 'expected by its users: each day, or refused');
})();
NODE
