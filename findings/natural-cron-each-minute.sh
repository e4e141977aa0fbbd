#!/usr/bin/env bash
# Expected: a sentence that can't be made a crontab is an error; and a part of one that was not read does not make it
# more often than it says.
# True, in @darkeyedevelopers/natural-cron.js 1.1.0 for Node.js: what it does not know is a star. "every 2 weeks",
# "twice a day", "every other day" and "every weekday at 9" are all "* * * * ? *", each minute of each day, and "good
# morning" is, too; even "every hour" is each minute. "every 25 hours" is each minute of the first hour of a day, "at 5
# pm on the 15th" is daily, and "every 5 minutes from 9am to 5pm" once an hour. "every monday at 9:30" and "every 5
# minutes" are right.
# Hurt: whoever has a field for sentences in front of a scheduler: the mail of each second week goes out 1440 times a
# day, to everybody, from the minute on at which it was saved.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" '@darkeyedevelopers/natural-cron.js@1.1.0' >/dev/null 2>&1
cd "$folder"
TZ=UTC node - <<'NODE'
const assert = require('node:assert/strict');
const getCronString = require('@darkeyedevelopers/natural-cron.js');

console.log('natural-cron.js', require('./node_modules/@darkeyedevelopers/natural-cron.js/package.json').version);

/** The crontab of a sentence: minutes, hours, days, months, weekdays and years. */
function crontab(sentence) {
  const found = getCronString(sentence);
  console.log(sentence.padEnd(36), found);
  return found;
}

const EACH_MINUTE = '* * * * ? *';
assert.equal(crontab('every monday at 9:30'), '30 9 ? * MON *');
assert.equal(crontab('every 5 minutes'), '0/5 * * * ? *');
for (const sentence of ['every 2 weeks', 'every other day', 'twice a day', 'every weekday at 9', 'good morning']) {
  assert.equal(crontab(sentence), EACH_MINUTE, 'expected by its users: what it says, or an error');
}
assert.equal(crontab('every hour'), EACH_MINUTE, 'expected by its users: 0 * * * ? *');
assert.equal(crontab('every 25 hours'), '* 0/25 * * ? *', 'expected by its users: an error');
assert.equal(crontab('at 5 pm on the 15th'), '0 17 * * ? *', 'expected by its users: 0 17 15 * ? *');
assert.equal(crontab('every 5 minutes from 9am to 5pm'), '0 9-17 * * ? *', 'expected by its users: 0/5 9-17 * * ? *');
NODE
