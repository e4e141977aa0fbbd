#!/usr/bin/env bash
# Expected: ical.js, "a library to parse the formats" of RFC 5545, makes of a rule the days that the RFC lists for it
# among its examples, or refuses it.
# True, in ical.js 2.2.1 for Node.js and browsers: of yearly rules without a month, what chooses among the days is
# dropped without a word. "FREQ=YEARLY;BYDAY=20MO", the 20th Monday of the year, is each Monday; so is Monday in week
# 20, and so is the last Monday of the year by BYSETPOS=-1, which is dropped of weekly rules as well. And what is each
# year from the 29th of February on, which the RFC skips in other years, comes on the 1st of March in these. BYSETPOS
# within a month, BYMONTH and BYYEARDAY are right. rrule 2.8.1 has all of them.
# Hurt: whoever shows, reminds or bills by calendars that others wrote: a yearly appointment is there 52 times a year,
# the last working day of a week is each of them, and what is to come ten times in ten years is over after ten weeks.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'ical.js@2.2.1' 'rrule@2.8.1' >/dev/null 2>&1
cd "$folder"
cat > rules.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import ICAL from 'ical.js';
import rrule from 'rrule';

console.log('ical.js', JSON.parse(readFileSync('node_modules/ical.js/package.json')).version);

/** The first three days of a rule that begins on that day, as ical.js has them, and as rrule does. */
function days(begins, rule) {
  const iterator = ICAL.Recur.fromString(rule).iterator(ICAL.Time.fromString(`${begins}T09:00:00`));
  const found = [1, 2, 3].map(() => iterator.next().toString().slice(0, 10));
  const start = `DTSTART:${begins.replaceAll('-', '')}T090000Z`;
  const moments = rrule.rrulestr(`${start}\nRRULE:${rule}`).all((_, index) => index < 3);
  const others = moments.map((moment) => moment.toISOString().slice(0, 10));
  console.log(rule.padEnd(46), ...found, 'by rrule', ...others);
  return { found, others };
}

const right = (begins, rule, ...expected) => {
  const { found, others } = days(begins, rule);
  assert.deepEqual(others, [begins, ...expected]);
  assert.deepEqual(found, others);
};
const wrong = (begins, rule, ...seen) => ({
  inPlaceOf: (...expected) => {
    const { found, others } = days(begins, rule);
    assert.deepEqual(others, [begins, ...expected]);
    assert.deepEqual(found, seen, `expected by its users: ${others.join(' ')}`);
  },
});

right('2026-01-30', 'FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '2026-02-27', '2026-03-31');
right('2026-03-29', 'FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU', '2027-03-28', '2028-03-26');
right('1997-01-01', 'FREQ=YEARLY;BYYEARDAY=1,100,200', '1997-04-10', '1997-07-19');
wrong('1997-05-19', 'FREQ=YEARLY;BYDAY=20MO', '1997-05-19', '1997-05-26', '1997-06-02')
  .inPlaceOf('1998-05-18', '1999-05-17');
wrong('1997-05-12', 'FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO', '1997-05-19', '1997-05-26', '1997-06-02')
  .inPlaceOf('1998-05-11', '1999-05-17');
wrong('2026-12-28', 'FREQ=YEARLY;BYDAY=MO;BYSETPOS=-1', '2026-12-28', '2027-01-04', '2027-01-11')
  .inPlaceOf('2027-12-27', '2028-12-25');
wrong('2026-01-02', 'FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1', '2026-01-02', '2026-01-05', '2026-01-06')
  .inPlaceOf('2026-01-09', '2026-01-16');
wrong('2024-02-29', 'FREQ=YEARLY', '2024-02-29', '2025-03-01', '2026-03-01')
  .inPlaceOf('2028-02-29', '2032-02-29');
NODE
TZ=UTC node rules.mjs
