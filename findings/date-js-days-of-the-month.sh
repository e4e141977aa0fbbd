#!/usr/bin/env bash
# Expected: "15th of April" is the 15th of April, whenever one says it, and "1st of March at 9am" is that day at nine:
# days like these and "tuesday at 9am" are examples of its documentation. What it can't read it refuses.
# True, in date.js 0.3.3, by which Agenda 6.2.6 reads agenda.schedule("tomorrow at noon", …): the month is put into
# the day on which one says it, and the day of the month after that. Said on a 31st, all days of the five shorter
# months are a month late; said on a 29th or 30th, those of February. With "at 9am" behind them the days up to the
# 12th are not read: "1st of March at 9am" is today, at this minute, while "1st of March at 9:00" and "15th of March
# at 9am" are well. And "in 1.5 hours" is five past one, next night. Nothing is refused.
# Hurt: whoever schedules by what people type or by such a text in the code: what was tried in the middle of a month
# is a month late at its end, and a mail for the 1st leaves at once.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'date.js@0.3.3' 'agenda@6.2.6' >/dev/null 2>&1
cd "$folder"
node - <<'NODE'
const assert = require('node:assert/strict');
const { readFileSync } = require('node:fs');
const date = require('date.js');

const agenda = JSON.parse(readFileSync('node_modules/agenda/package.json'));
console.log('date.js', require('date.js/package.json').version, 'Agenda', agenda.version);
assert.equal(agenda.dependencies['date.js'], '~0.3.3');

/** What the text says on that day at ten o'clock. */
function said(text, day) {
  const found = date(text, new Date(`${day}T10:00:00`));
  const [month, ofMonth] = [found.getMonth() + 1, found.getDate()];
  const told = `${month}-${ofMonth} ${found.toTimeString().slice(0, 5)}`;
  console.log(`${text.padEnd(22)} on ${day}: ${told}`);
  return told;
}

const [middle, end] = ['2026-01-15', '2026-01-31'];
assert.equal(said('15th of April', middle), '4-15 10:00');
assert.equal(said('15th of April', end), '5-15 10:00', 'expected by its users: 4-15');
assert.equal(said('2nd of February 9:00am', '2026-01-29'), '3-2 09:00', 'expected by its users: 2-2');
assert.equal(said('15th of April at 9am', middle), '4-15 09:00');
assert.equal(said('1st of April at 9:00', middle), '4-1 09:00');
assert.equal(said('1st of April at 9am', middle), '1-15 10:00', 'expected by its users: 4-1 09:00');
assert.equal(said('12th of April at 9am', middle), '1-15 10:00', 'expected by its users: 4-12 09:00');
assert.equal(said('in 90 minutes', middle), '1-15 11:30');
assert.equal(said('in 1.5 hours', middle), '1-16 01:05', 'expected by its users: 1-15 11:30');
NODE
