#!/usr/bin/env bash
# Expected: what follows a group gets the list of its results, however many tasks there are: of none an empty
# list, as what follows a chord() of none does.
# True, in Celery 5.7.0: within a chain a group of none is left out, so that what follows gets the result of
# what came before the group, as if that were the list. And a group of one task becomes that task, so that
# what follows gets its result and no list; of this one the documentation tells. chord() gives the list each
# time.
# Hurt: whoever fans out over what there is (the mails of a day, the pages of a file) and sums up: on a day
# without any, the callback takes what was to be split for the results; on the day with one it is given
# something else, and where that is a text or a list, too, nothing fails.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'celery==5.7.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import warnings
from importlib.metadata import version

warnings.simplefilter("ignore")
from celery import Celery, chain, chord, group
from celery.contrib.testing.worker import start_worker

print("Celery", version("celery"))
app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.worker_hijack_root_logger = False


@app.task
def collect(count):
    return count


@app.task
def word(count, number):
    return f"page {number}"


@app.task
def received(results):
    return results


seen = {}
with start_worker(app, pool="threads", perform_ping_check=False, loglevel="ERROR"):
    for count in (0, 1, 2):
        header = [word.s(number) for number in range(count)]
        by_group = chain(collect.s(count), group(header), received.s())
        by_chord = chain(collect.s(count), chord(header, received.s()))
        seen[count] = [way.apply_async().get(timeout=30) for way in (by_group, by_chord)]
        print(f"of {count} tasks, after a group: {seen[count][0]!r}  after a chord: {seen[count][1]!r}")
assert seen[2] == [["page 0", "page 1"], ["page 0", "page 1"]]
assert seen[1] == ["page 0", ["page 0"]], "expected by its users: twice the list"
assert seen[0] == [0, []], "expected by its users: twice the empty list"
PYTHON
