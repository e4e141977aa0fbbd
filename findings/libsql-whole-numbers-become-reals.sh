#!/usr/bin/env bash
# Expected: a whole number that is given as a parameter is an integer in the database, as it is when it stands in the
# statement, and as from each other language; so 4711 for a column of texts is the text "4711", and is found by it.
# True, in @libsql/client 0.18.0 for Node.js: each number is bound as a real one. In a column declared INTEGER SQLite
# makes an integer of it; elsewhere it stays a real: in TEXT 4711 is "4711.0", in the JSON of json_object() it is
# 4711.0, and a half of it has a fraction. WHERE code = 4711 does not find the text "4711". sql.js 1.17.0 does the same
# from 2 ** 31 on, that is, with each Date.now(). A BigInt is an integer for both; node-sqlite3-wasm 0.8.60 binds
# integers as such.
# Hurt: whoever keeps order numbers, ids of other systems or payloads of jobs as text or JSON, and gives them as
# numbers: what was written is not found by what reads it in another language, and keys that were to be the same are
# two. With sql.js it shows with the first id above two thousand million.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --no-audit --no-fund --prefix "$folder" \
  '@libsql/client@0.18.0' 'sql.js@1.17.0' 'node-sqlite3-wasm@0.8.60' >/dev/null 2>&1
cd "$folder"
cat > numbers.mjs <<'NODE'
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createClient } from '@libsql/client';
import wasm from 'node-sqlite3-wasm';
import initSqlJs from 'sql.js';

for (const name of ['@libsql/client', 'libsql', 'sql.js', 'node-sqlite3-wasm'])
  console.log(name, JSON.parse(readFileSync(`node_modules/${name}/package.json`)).version);

const client = createClient({ url: 'file::memory:' });
const sqljs = new (await initSqlJs()).Database();
const others = new wasm.Database();
const row = {
  libsql: async (sql, args) => Object.values((await client.execute({ sql, args })).rows[0]),
  'sql.js': async (sql, args) => sqljs.exec(sql, args)[0].values[0],
  wasm: async (sql, args) => Object.values(others.get(sql, args)),
};

/** The type, the text, the JSON and the half of a number. */
async function made(name, number) {
  const sql = "SELECT typeof(?), CAST(? AS TEXT), json_object('n', ?), ? / 2";
  const found = await row[name](sql, [number, number, number, number]);
  console.log(name.padEnd(8), String(number).padEnd(14), ...found);
  return found;
}

assert.deepEqual(await made('wasm', 4711), ['integer', '4711', '{"n":4711}', 2355]);
assert.deepEqual(await made('wasm', 2 ** 31), ['integer', '2147483648', '{"n":2147483648}', 2 ** 30]);
assert.deepEqual(await made('sql.js', 4711), ['integer', '4711', '{"n":4711}', 2355]);
assert.deepEqual(
  await made('sql.js', 2 ** 31),
  ['real', '2147483648.0', '{"n":2147483648.0}', 2 ** 30],
  'expected by its users: as wasm has it',
);
assert.deepEqual(
  await made('libsql', 4711),
  ['real', '4711.0', '{"n":4711.0}', 2355.5],
  'expected by its users: as wasm has it',
);
assert.deepEqual((await made('libsql', 4711n)).slice(0, 3), ['integer', '4711', '{"n":4711}']);

await client.execute('CREATE TABLE orders (number INTEGER, code TEXT)');
await client.execute({ sql: 'INSERT INTO orders VALUES (?, ?)', args: [4711, 4711] });
await client.execute("INSERT INTO orders VALUES (4711, '4711')");

/** The codes of the rows that are found by a parameter. */
async function codes(condition, parameter) {
  const { rows } = await client.execute({ sql: `SELECT * FROM orders WHERE ${condition}`, args: [parameter] });
  const found = rows.map((stored) => stored.code);
  console.log('libsql  ', condition, `by the ${typeof parameter} ${parameter}`, found);
  return found;
}

const TWO_TIMES = ['4711', '4711'];
assert.deepEqual(await codes("number = ? AND typeof(number) = 'integer'", 4711), ['4711.0', '4711']);
assert.deepEqual(await codes('code = ?', '4711'), ['4711'], `expected by its users: ${TWO_TIMES}`);
assert.deepEqual(await codes('code = ?', 4711), ['4711.0'], `expected by its users: ${TWO_TIMES}`);
NODE
node numbers.mjs
