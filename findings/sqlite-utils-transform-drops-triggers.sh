#!/usr/bin/env bash
# Expected: transform() of a table changes what it is told to change, as ALTER TABLE does, keeps the rest, or refuses;
# it does refuse where an index can't be made anew, "so it cannot be safely recreated", and it keeps foreign keys and
# checks.
# True, in sqlite-utils 4.2.1: the table is made anew from what it knows of its columns, and the rest is gone without a
# word. All triggers are, whatever they do; the documentation says that they are not "upgraded", and not that they go. A
# generated column is no longer there. And a column with COLLATE NOCASE compares by case from then on. RENAME COLUMN of
# SQLite keeps all of it. So it is also by add_foreign_key() and by "sqlite-utils transform" on the command line.
# Hurt: whoever has an outbox, a search index or an audit that is filled by a trigger, and renames a column of its
# table: from then on no job is enqueued, nothing new is found, and no statement fails; a login by "Anna@…" and "anna@…"
# is two.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'sqlite-utils==4.2.1' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sqlite3
import subprocess
import sys
from importlib.metadata import version

import sqlite_utils

print("sqlite-utils", version("sqlite-utils"), "SQLite", sqlite3.sqlite_version)
SHOP = """
CREATE TABLE outbox (id INTEGER PRIMARY KEY, what TEXT);
CREATE TABLE customers (id INTEGER PRIMARY KEY);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY,
    mail TEXT COLLATE NOCASE,
    net INTEGER NOT NULL CHECK (net > 0),
    gross INTEGER GENERATED ALWAYS AS (net * 119 / 100) STORED,
    memo TEXT,
    customer_id INTEGER
);
CREATE TRIGGER send AFTER INSERT ON orders BEGIN INSERT INTO outbox (what) VALUES ('confirm ' || new.id); END;
"""


def shop(path=":memory:"):
    connection = sqlite3.connect(path)
    connection.executescript(SHOP)
    return sqlite_utils.Database(connection)


def sold(database, order):
    """An order comes; what the outbox has then, whether there is a gross, and whether another case finds it."""
    with database.conn:
        database.execute("INSERT INTO orders (id, mail, net) VALUES (?, 'Anna@example.org', 100)", [order])
    jobs = [row["what"] for row in database["outbox"].rows]
    gross = any(column[1] == "gross" for column in database.execute("PRAGMA table_xinfo(orders)"))
    [(found,)] = database.execute("SELECT count(*) FROM orders WHERE id = ? AND mail = 'anna@example.org'", [order])
    return jobs, gross, found


def by_statement(database):
    database.execute("ALTER TABLE orders RENAME COLUMN memo TO note")


def by_transform(database):
    database["orders"].transform(rename={"memo": "note"})


def by_foreign_key(database):
    database["orders"].add_foreign_key("customer_id", "customers", "id")


def by_command(database):
    path = database.execute("PRAGMA database_list").fetchone()[2]
    command = [sys.executable, "-m", "sqlite_utils", "transform", path, "orders", "--rename", "memo", "note"]
    subprocess.run(command, check=True)


for change in (by_statement, by_transform, by_foreign_key, by_command):
    database = shop(f"{change.__name__}.db")
    before, after = sold(database, 1), (change(database), sold(database, 2))[1]
    print(f"{change.__name__:15} {before} -> {after}")
    assert before == (["confirm 1"], True, 1)
    if change is by_statement:
        assert after == (["confirm 1", "confirm 2"], True, 1)
    else:
        assert after == (["confirm 1"], False, 0), "expected by its users: confirm 2, True, 1"
PYTHON
