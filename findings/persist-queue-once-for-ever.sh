#!/usr/bin/env bash
# Expected: UniqueAckQ keeps an item out while the same one waits or is worked on; once that is done, or has failed for
# good, it may come again. And what a process has taken from a queue with acknowledgements is nobody else's while that
# process works on it.
# True, in persist-queue 1.1.0: what was acknowledged stays in the table, and so the same item is left out for ever
# after, also after ack_failed(); put() says nothing. And SQLiteAckQueue(…), as each process opens it, takes all that
# is in work anywhere for work that was left behind: with auto_resume, which is on, it is handed out again while the
# first process is at it, and both acknowledge it. UniqueQ, without acknowledgements, takes an item again once it was
# taken out.
# Hurt: whoever has "sync customer 7" in it each night: it is done in the first night, and never again. And whoever
# starts a second worker, or a script that looks into the queue and works on: mails go twice.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'persist-queue==1.1.0' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import subprocess
import sys
from importlib.metadata import version

import persistqueue

print("persist-queue", version("persist-queue"))
SYNC = "sync customer 7"


def sizes(queue, end):
    """How many there are once an item was put, after it was put again, and after it was done and put once more."""
    found = []
    for _ in range(2):
        queue.put(SYNC)
        found.append(queue.size)
    end(queue, queue.get(block=False))
    queue.put(SYNC)
    return [*found, queue.size]


done = sizes(persistqueue.UniqueAckQ("done"), lambda queue, item: queue.ack(item))
failed = sizes(persistqueue.UniqueAckQ("failed"), lambda queue, item: queue.ack_failed(item))
plain = sizes(persistqueue.UniqueQ("plain", auto_commit=True), lambda queue, item: None)
print("put, put again, done and put once more:", done, "failed and put once more:", failed, "UniqueQ:", plain)
assert plain == [1, 1, 1]
assert done == failed == [1, 1, 0], "expected by its users: 1, 1, 1"

OTHER = """
import persistqueue
queue = persistqueue.SQLiteAckQueue("mails")
mail = queue.get(block=False)
queue.ack(mail)
print(mail)
"""
queue = persistqueue.SQLiteAckQueue("mails")
queue.put("first")
queue.put("second")
mine = queue.get(block=False)
theirs = subprocess.run([sys.executable, "-c", OTHER], capture_output=True, text=True, check=True).stdout.strip()
queue.ack(mine)
print("in work here:", mine, "and handed out to a process that started meanwhile:", theirs)
assert mine == "first"
assert theirs == "first", "expected by its users: second"
PYTHON
