#!/usr/bin/env bash
# Expected: with isolation_level=None, Python's sqlite3 commits each statement by itself: once execute() has
# returned, an UPDATE … RETURNING is stored, others see it and can write; and in_transaction tells whether
# something is still open.
# True, in Python 3.10 to 3.13 with SQLite 3.40.1: it is stored when the last row has been fetched, or the cursor
# is gone. Until then nobody sees it, nobody else can write ("database is locked"), and in_transaction says
# False. Of one row, execute() alone leaves it open, while fetchone() closes it; of two, fetchone(), next() and a
# loop that is left by break leave it open. A process that ends there has changed nothing.
# Hurt: whoever claims work so, keeps the cursor for as long as the job runs, or takes the first of several
# rows: each other worker waits for the lock and fails, and in a crash what was claimed never was. In tests of
# one row with fetchone() all is well; fetchall() always is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
FOLDER="$folder" python3 - <<'PYTHON'
import os
import sqlite3
import sys
from pathlib import Path

CLAIM = """
UPDATE job SET state = 'running'
WHERE id IN (SELECT id FROM job WHERE state = 'ready' ORDER BY id LIMIT ?) RETURNING id
"""
print("Python", sys.version.split()[0], "SQLite", sqlite3.sqlite_version)


def connect(name):
    return sqlite3.connect(Path(os.environ["FOLDER"]) / name, timeout=0, isolation_level=None)


def after(name, count, fetch):
    """What a second connection finds while the first still has the cursor of its claim."""
    claiming, other = connect(name), connect(name)
    claiming.execute("PRAGMA journal_mode = WAL")
    claiming.execute("CREATE TABLE job (id INTEGER PRIMARY KEY, state TEXT)")
    claiming.executemany("INSERT INTO job (state) VALUES (?)", [("ready",)] * 5)
    cursor = claiming.execute(CLAIM, [count])
    fetch(cursor)
    (seen,) = other.execute("SELECT count(*) FROM job WHERE state = 'running'").fetchone()
    try:
        other.execute("INSERT INTO job (state) VALUES ('ready')")
    except sqlite3.OperationalError as error:
        write = str(error)
    else:
        write = "written"
    found = (seen, write, claiming.in_transaction)
    print(f"{name:22} others see {seen} of {count}, and write: {write}; in_transaction {found[2]}")
    return found


open_still = (0, "database is locked", False)
assert after("one, not fetched", 1, lambda cursor: None) == open_still, "expected by its users: stored"
assert after("two, the first fetched", 2, lambda cursor: cursor.fetchone()) == open_still
assert after("two, next()", 2, next) == open_still
assert after("one, fetchone()", 1, lambda cursor: cursor.fetchone()) == (1, "written", False)
assert after("two, fetchall()", 2, lambda cursor: cursor.fetchall()) == (2, "written", False)
PYTHON
