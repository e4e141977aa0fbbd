#!/usr/bin/env bash
# Expected: fetch(url, timeout=30) of a task calls the function with timeout=30, as it does without the decorator, as
# delay() of Celery and send() of dramatiq do; or the name is refused when the task is declared or called.
# True, in huey 3.5.4: nine names are taken out of the arguments as options of the task: id, eta, delay, priority,
# retries, retry_delay, retry_backoff, expires and timeout. The function does not get them. Where it has
# a default it runs with that, and nothing is said. And an id of a customer becomes the id of the task, so that all
# tasks of that customer have one result: who asks for the first is handed the second's.
# Hurt: whoever decorates a function that was there before: a download with timeout=30 gives up after the five seconds
# that are the default, or runs under a limit of huey's; delay=7 waits before the task and not within it; and what is
# done "for id=42" is done for nobody. By position all arrive.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'huey==3.5.4' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
from importlib.metadata import version

from huey import MemoryHuey

logging.disable()
huey = MemoryHuey()
got = []
print("huey", version("huey"))


@huey.task()
def fetch(url, timeout=5, priority=0, retries=3, id=None, eta=None, delay=0, expires=None):
    got.append({"timeout": timeout, "priority": priority, "retries": retries, "id": id, "expires": expires})
    return url


def work():
    while (task := huey.dequeue()) is not None:
        huey.execute(task)
    return got.pop()


fetch("a", 30, 9, 1, 42, None, 7, 60)
by_position = work()
fetch("a", timeout=30, priority=9, retries=1, id=42, expires=60)
by_name = work()
print("by position", by_position)
print("by name    ", by_name)
assert by_position == {"timeout": 30, "priority": 9, "retries": 1, "id": 42, "expires": 60}
assert by_name == {"timeout": 5, "priority": 0, "retries": 3, "id": None, "expires": None}, "expected: as by position"

huey.flush()
first, second = fetch("first", id=7), fetch("second", id=7)
while (task := huey.dequeue()) is not None:
    huey.execute(task)
told = first.get()
print("two with id=7: the result of the first is", told)
assert told == "second", "expected by its users: first"
PYTHON
