#!/usr/bin/env bash
# Expected: RRule.fromText("every day at 5pm") is at five in the afternoon and "every day at 9:30" at half past nine, or
# they are refused, as "every other week" is.
# True, in rrule 2.8.1 for Node.js: of the time the hour is read, and the rest of the text is dropped without a word,
# so that 5pm is five in the morning and 9:30 is some minute after nine: the one at which the rule was made, as "at 9"
# is too. What stands behind the time is gone as well: "every day at 5pm for 3 times" is for ever. And toText(), of
# which its README says that fromText() reads it, leaves out the minutes of a rule, and of "the last of Monday and
# Friday" in a month that it is the last, so that it reads as each.
# Hurt: whoever lets people type when something is to repeat, or shows them what was understood: the reminder comes at
# night, the trial of three runs goes on, and the sentence that is shown for it says nothing of it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'rrule@2.8.1' >/dev/null 2>&1
cd "$folder"
TZ=UTC node - <<'NODE'
const assert = require('node:assert/strict');
const { RRule } = require('rrule');

console.log('rrule', require('./node_modules/rrule/package.json').version);

/** The rule of a text, and when it is first due after noon of a day. */
function read(text) {
  const options = RRule.parseText(text);
  const dtstart = new Date('2026-11-28T12:17:00Z');
  const due = new RRule({ ...options, dtstart }).after(dtstart);
  const told = `${RRule.fromText(text).toString()} ${due.toISOString().slice(11, 16)}`;
  console.log(`${text.padEnd(30)} ${told}`);
  return told;
}

assert.equal(read('every day at 17'), 'RRULE:FREQ=DAILY;BYHOUR=17 17:17');
assert.equal(read('every day for 3 times'), 'RRULE:FREQ=DAILY;COUNT=3 12:17');
assert.equal(read('every day at 5pm'), 'RRULE:FREQ=DAILY;BYHOUR=5 05:17', 'expected by its users: BYHOUR=17');
assert.equal(read('every day at 9:30'), 'RRULE:FREQ=DAILY;BYHOUR=9 09:17', 'expected by its users: BYMINUTE=30');
assert.equal(read('every day at 5pm for 3 times'), 'RRULE:FREQ=DAILY;BYHOUR=5 05:17', 'expected by its users: COUNT=3');
assert.equal(read('every day at 17 for 3 times'), 'RRULE:FREQ=DAILY;BYHOUR=17;COUNT=3 17:17');
assert.throws(() => read('every other week'));

const half = new RRule({ freq: RRule.DAILY, byhour: [9], byminute: [30] });
const last = new RRule({ freq: RRule.MONTHLY, byweekday: [RRule.MO, RRule.FR], bysetpos: [-1] });
console.log(half.toString(), '|', half.toText());
console.log(last.toString(), '|', last.toText());
assert.equal(half.toText(), 'every day at 9', 'expected by its users: at 9:30');
assert.equal(last.toText(), 'every month on Monday, Friday', 'expected by its users: the last of them');
NODE
