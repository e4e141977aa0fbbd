#!/usr/bin/env bash
# Expected: a step counts on from where it begins: "5/20" is at :05, :25 and :45, or is refused; and "1-7/2" is
# Monday, Wednesday, Friday and Sunday, as 7 is a Sunday.
# True, in cron-converter 2.0.2: of a single number with a step the step is dropped, without a word, so that "5/20" is
# at :05 alone and "9/3" of the hours at nine alone. And of a range of weekdays with a step the 7 has become a 0 by
# the time that the step is taken: "1-7/2" is without the Sunday, and "2-7/2" has one that is not in it. Ranges from a
# number to the end are right.
# Hurt: whoever moves a crontab to it, or reads one that people typed: what should come each twenty minutes comes each
# hour, and what should come on Sundays too does not.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'cron-converter==2.0.2' 'croniter==7.0.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
from datetime import datetime
from importlib.metadata import version

from cron_converter import Cron
from croniter import croniter

print("cron-converter", version("cron-converter"), "croniter", version("croniter"))


def differ(expression, form):
    """What six runs look like by each of both, from Monday, 5 January 2026."""
    begin = datetime(2026, 1, 4, 23, 59)
    converted, other = Cron(expression).schedule(start_date=begin), croniter(expression, begin)
    both = [
        " ".join(format(run(), form) for _ in range(6))
        for run in (converted.next, lambda: other.get_next(datetime))
    ]
    print(f"{expression:16}{both[0]}   croniter: {both[1]}")
    return both


assert differ("5-59/20 * * * *", "%H:%M") == ["00:05 00:25 00:45 01:05 01:25 01:45"] * 2
assert differ("0 9 * * 1-5/2", "%a") == ["Mon Wed Fri Mon Wed Fri"] * 2
minutes = differ("5/20 * * * *", "%H:%M")
hours = differ("0 9/3 * * *", "%d.%H")
odd = differ("0 9 * * 1-7/2", "%a")
even = differ("0 9 * * 2-7/2", "%a")
assert minutes[1] == "00:05 00:25 00:45 01:05 01:25 01:45"
assert minutes[0] == "00:05 01:05 02:05 03:05 04:05 05:05", "expected by its users: as croniter, or refused"
assert hours[0] == "05.09 06.09 07.09 08.09 09.09 10.09", f"expected by its users: {hours[1]}, or refused"
assert odd == ["Mon Wed Fri Mon Wed Fri", "Mon Wed Fri Sun Mon Wed"], "expected by its users: twice the last"
assert even == ["Tue Thu Sat Sun Tue Thu", "Tue Thu Sat Tue Thu Sat"], "expected by its users: twice the last"
PYTHON
