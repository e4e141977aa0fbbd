#!/usr/bin/env bash
# Expected: "30 2 * * *" is once a day, in a zone that changes its clocks as well: in the night in which the hour from
# two to three passes twice, what names its hour and minute runs in one of them, as cronsim has it, and what begins
# with a star in both.
# True, in croniter 7.0.0: it is due in both. Each fixed time from 2:00 to 2:59 comes twice in Berlin, an hour apart,
# the weekly and the yearly one too; and "0 */2 * * *" is at two, at two, and at four. In spring each day has one.
# Hurt: whoever bills, pays or sends at night by croniter, or by what is built upon it: once a year everybody has two.
# What guards against a second run by the moment at which it was due lets it pass, for the moments differ.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'croniter==7.0.0' 'cronsim==2.8' 'tzdata==2026.6' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime
from importlib.metadata import version
from itertools import islice
from zoneinfo import ZoneInfo

from croniter import croniter
from cronsim import CronSim

print("croniter", version("croniter"), "cronsim", version("cronsim"))
BERLIN = ZoneInfo("Europe/Berlin")


def runs(expression, begin):
    """The next two runs of each, as a clock in Berlin shows them."""
    by_croniter = croniter(expression, begin)
    found = (
        [by_croniter.get_next(datetime) for _ in range(2)],
        list(islice(CronSim(expression, begin), 2)),
    )
    both = [[format(run.astimezone(BERLIN), "%m-%d %H:%M%z") for run in of_one] for of_one in found]
    print(f"{expression:12} croniter: {', '.join(both[0])}  cronsim: {', '.join(both[1])}")
    return both


day = runs("30 2 * * *", datetime(2026, 10, 24, 3, tzinfo=BERLIN))
week = runs("0 2 * * 0", datetime(2026, 10, 18, 3, tzinfo=BERLIN))
later = runs("30 3 * * *", datetime(2026, 10, 24, 4, tzinfo=BERLIN))
spring = runs("30 2 * * *", datetime(2026, 3, 28, 3, tzinfo=BERLIN))
assert later[0] == later[1] == ["10-25 03:30+0100", "10-26 03:30+0100"]
assert spring[0] == spring[1] == ["03-29 03:00+0200", "03-30 02:30+0200"]
assert day[1] == ["10-25 02:30+0200", "10-26 02:30+0100"]
assert week[1] == ["10-25 02:00+0200", "11-01 02:00+0100"]
assert day[0] == ["10-25 02:30+0200", "10-25 02:30+0100"], f"expected by its users: {day[1]}"
assert week[0] == ["10-25 02:00+0200", "10-25 02:00+0100"], f"expected by its users: {week[1]}"
PYTHON
