#!/usr/bin/env bash
# Expected: prev() of cron-parser goes back over the moments that next() gives: what was due at some time is what is
# found when one asks later when it was due last; and around the change of the clocks both keep to the same rule, which
# its README calls "handling DST transitions correctly".
# True, in cron-parser 5.10.6 for Node.js: not at the change. "30 2 * * *" in Berlin is due on each day by next(), in
# spring an hour late, at 03:30; prev() passes over that Sunday, and says Saturday until Monday. In autumn next() has
# the first 02:30 alone, and prev() both, the second first. So it is with each fixed time from 2:00 to 2:59, and in New
# York, in autumn, from 1:00 to 1:59. croner 11.0.1 and its previousRuns() have the same moments both ways.
# Hurt: whoever asks prev() whether something was missed, to catch up after a restart or to raise an alarm: in one night
# a year it says that what ran had not been due, or, on the Sunday in autumn, that a run at half past two is missing,
# which is then made up for, so that everybody is billed twice.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'cron-parser@5.10.6' 'croner@11.0.1' >/dev/null 2>&1
cd "$folder"
cat > due.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { CronExpressionParser } from 'cron-parser';
import { Cron } from 'croner';

console.log('cron-parser', JSON.parse(readFileSync('node_modules/cron-parser/package.json')).version);
const tz = 'Europe/Berlin';
const shown = (moments) => moments.map((moment) => moment.toISOString().slice(5, 16));

/** What is due from one moment to the other, as each of the two directions has it, both in order. */
function due(expression, from, to) {
  const [begin, end] = [new Date(from), new Date(to)];
  const forwards = CronExpressionParser.parse(expression, { currentDate: begin, tz });
  const backwards = CronExpressionParser.parse(expression, { currentDate: end, tz });
  const found = { next: [], prev: [] };
  for (let at = forwards.next().toDate(); at < end; at = forwards.next().toDate()) found.next.push(at);
  for (let at = backwards.prev().toDate(); at > begin; at = backwards.prev().toDate()) found.prev.unshift(at);
  const cron = new Cron(expression, { timezone: tz, paused: true });
  assert.deepEqual(cron.previousRuns(3, end).reverse(), cron.nextRuns(3, begin));
  console.log(expression, 'by next()', ...shown(found.next), 'by prev()', ...shown(found.prev));
  return { next: shown(found.next), prev: shown(found.prev) };
}

const spring = ['2026-03-28T00:00:00Z', '2026-03-30T12:00:00Z'];
const autumn = ['2026-10-23T22:00:00Z', '2026-10-26T12:00:00Z'];
assert.deepEqual(due('30 2 * * *', ...spring), {
  next: ['03-28T01:30', '03-29T01:30', '03-30T00:30'],
  prev: ['03-28T01:30', '03-30T00:30'],
}, 'expected by its users: the same both ways');
assert.deepEqual(due('30 2 * * *', ...autumn), {
  next: ['10-24T00:30', '10-25T00:30', '10-26T01:30'],
  prev: ['10-24T00:30', '10-25T00:30', '10-25T01:30', '10-26T01:30'],
}, 'expected by its users: the same both ways');
const { next, prev } = due('30 4 * * *', ...autumn);
assert.deepEqual(next, prev);
NODE
TZ=UTC node due.mjs
