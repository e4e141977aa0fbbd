#!/usr/bin/env bash
# Expected: max_time=600 of backoff tries for ten minutes, as its documentation says, and "elapsed" is the time that
# has passed.
# True, in backoff 2.2.1: it is reckoned by the clock on the wall, in the zone of the system. In Berlin, with one try a
# minute from two minutes before the change on: in spring it gives up at the third try, after two minutes, and says
# that 62 minutes have elapsed; in autumn it goes on for 70 minutes, and says ten. On any other day it is eleven
# tries.
# Hurt: whoever bounds calls so on a server with a local zone: in one night a year what would have mended in a
# minute fails at once, for all that is trying at that time, and in another night an alarm, or a worker that is
# to be free again, is an hour late. The same happens whenever somebody sets the clock.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'backoff==2.2.1' 'time-machine==3.6.0' 'tzdata==2026.6' 2>/dev/null
TZ=Europe/Berlin "$folder/venv/bin/python" - <<'PYTHON'
from datetime import UTC, datetime
from importlib.metadata import version
from zoneinfo import ZoneInfo

import backoff
import time_machine

print("backoff", version("backoff"))


def tries_from(start):
    """How often it tries, a minute each, and what it says has elapsed."""
    tries, elapsed = [], []
    with time_machine.travel(start.astimezone(ZoneInfo("Europe/Berlin")), tick=False) as clock:

        @backoff.on_exception(
            backoff.constant,
            OSError,
            interval=0,
            jitter=None,
            max_time=600,
            logger=None,
            on_giveup=lambda details: elapsed.append(details["elapsed"]),
        )
        def call():
            tries.append(datetime.now(UTC))
            clock.shift(60)
            raise OSError

        try:
            call()
        except OSError:
            pass
    print(f"from {start:%d %B %H:%M} UTC: {len(tries)} tries, said to be {elapsed[0]:.0f} seconds")
    return len(tries), elapsed[0]


assert tries_from(datetime(2026, 7, 1, 0, 58, tzinfo=UTC)) == (11, 600)
assert tries_from(datetime(2026, 3, 29, 0, 58, tzinfo=UTC)) == (3, 3720), "expected: 11, 600"
assert tries_from(datetime(2026, 10, 25, 0, 58, tzinfo=UTC)) == (71, 600), "expected: 11, 600"
PYTHON
