#!/usr/bin/env bash
# Expected: RateLimiterMemory({ points: 5, duration: 30 * 24 * 60 * 60 }) gives five in thirty days; "duration" is a
# number of seconds, and none is too large.
# True, in rate-limiter-flexible 11.4.0 for Node.js: what was taken is forgotten by a timer, and a timer of Node.js
# holds no more than 2147483647 milliseconds, some 24.8 days. One above that goes off after a millisecond. So a
# duration of 24 days holds, and one of 25 or of a month is none: everybody has five again at once, for ever. Node.js
# warns of a timer on stderr, and names neither the limit nor the library.
# Hurt: whoever has quotas by the month, in memory, or in memory as the insurance for a Redis that is down: there is
# no limit. Tests with short durations pass.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" 'rate-limiter-flexible@11.4.0' >/dev/null 2>&1
cd "$folder"
node - 2>"$folder/warnings" <<'NODE'
const assert = require('node:assert/strict');
const { setTimeout: pause } = require('node:timers/promises');
const { RateLimiterMemory } = require('rate-limiter-flexible');

console.log('rate-limiter-flexible', require('rate-limiter-flexible/package.json').version, 'Node.js', process.version);

/** How many of thirty calls, some milliseconds apart, get one of the five points. */
async function taken(days) {
  const limiter = new RateLimiterMemory({ points: 5, duration: days * 24 * 60 * 60 });
  let count = 0;
  for (let call = 0; call < 30; call += 1) {
    await limiter.consume('anna').then(() => (count += 1), () => {});
    await pause(5);
  }
  console.log(`5 in ${days} days: ${count} of 30 calls`);
  return count;
}

(async () => {
  assert.equal(await taken(24), 5);
  assert.equal(await taken(25), 30, 'expected by its users: 5');
  assert.equal(await taken(30), 30, 'expected by its users: 5');
})();
NODE
echo "warnings of a timer: $(grep -c TimeoutOverflowWarning "$folder/warnings")"
