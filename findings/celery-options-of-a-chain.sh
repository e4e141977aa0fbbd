#!/usr/bin/env bash
# Expected: chain(...).apply_async(queue="nights", priority=9) sends the chain there, each of its tasks, as
# group(...) and chord(...) send all of theirs.
# True, in Celery 5.7.0: the options are those of the first task alone, also where chain(...).set() gives them.
# All that follow it go to the default queue, without a priority, while the callback of a chord gets both.
# Hurt: whoever sends what is heavy, or one customer's, to workers of its own: the first step runs there, and
# the others among the quick jobs, or where their libraries, disks or credentials are missing. In tests, with
# one queue or with task_always_eager, all is well.
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
from celery.signals import before_task_publish

print("Celery", version("celery"))
app = Celery("shop", broker="memory://", backend="cache+memory://")
app.conf.task_default_queue = "quick"
sent = []


@before_task_publish.connect
def note(sender=None, routing_key=None, properties=None, **rest):
    if sender.startswith("shop."):
        sent.append((sender.removeprefix("shop."), routing_key, properties.get("priority")))


@app.task(name="shop.first")
def first(*given):
    return 1


@app.task(name="shop.second")
def second(*given):
    return 2


@app.task(name="shop.last")
def last(*given):
    return 3


nightly = {"queue": "nights", "priority": 9}
ways = {
    "group": lambda: group(first.si(), second.si(), last.si()).apply_async(**nightly),
    "chord": lambda: chord([first.si(), second.si()], last.si()).apply_async(**nightly),
    "chain": lambda: chain(first.si(), second.si(), last.si()).apply_async(**nightly),
    "chain, by set()": lambda: chain(first.si(), second.si(), last.si()).set(**nightly).apply_async(),
}
seen = {}
with start_worker(app, perform_ping_check=False, queues=["quick", "nights"], loglevel="CRITICAL"):
    for name, start in ways.items():
        sent.clear()
        start().get(timeout=30, disable_sync_subtasks=False)
        seen[name] = {task: (queue, priority) for task, queue, priority in sent}
        print(f"{name + ':':17}", ", ".join(f"{task} to {queue} ({priority})" for task, queue, priority in sent))
there, elsewhere = ("nights", 9), ("quick", None)
assert seen["group"] == seen["chord"] == {"first": there, "second": there, "last": there}
chained = {"first": there, "second": elsewhere, "last": elsewhere}
assert seen["chain"] == seen["chain, by set()"] == chained, "expected by its users: all to nights, with 9"
PYTHON
