#!/usr/bin/env bash
# Expected: freeze_time() freezes the time for the code of one's own, whatever its modules are called. It
# leaves out a few packages that need the real clock, by their names, such as queue, threading and gi.
# True, in freezegun 1.5.5: it leaves out each module whose name begins like one of these. In gifts.py,
# github.py, queues.py or queueing/models.py "from datetime import datetime" and time.time() go on with the
# real clock. "import datetime" is frozen in these too, so that half of a project may be.
# Hurt: whoever has a Django app queues, giving or gis: tests of due dates and limits pass or fail by the day
# on which they run; and renaming a module breaks them. time-machine 3.6.0 freezes them all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'freezegun==1.5.5' 'time-machine==3.6.0' 2>/dev/null
for name in shop gifts queues; do
    cat >"$folder/$name.py" <<'PYTHON'
import datetime as module
import time
from datetime import datetime


def years():
    return [datetime.now().year, time.gmtime(time.time()).tm_year, module.datetime.now().year]
PYTHON
done
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import time
from importlib.metadata import version

import freezegun
import gifts
import queues
import shop
import time_machine

print("freezegun", version("freezegun"), "time-machine", version("time-machine"))
real = time.gmtime().tm_year
seen = {}
with freezegun.freeze_time("2001-06-15"):
    for module in (shop, gifts, queues):
        seen[module.__name__] = module.years()
with time_machine.travel("2001-06-15 12:00"):
    assert [module.years() for module in (shop, gifts, queues)] == [[2001] * 3] * 3
for name, (imported, clock, attribute) in seen.items():
    print(f"{name}: datetime.now() {imported}  time.time() {clock}  module.datetime.now() {attribute}")
assert real > 2001
assert seen["shop"] == [2001, 2001, 2001]
assert seen["gifts"] == seen["queues"] == [real, real, 2001], "expected by its users: as in shop"
PYTHON
