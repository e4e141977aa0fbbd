#!/usr/bin/env bash
# Expected: a lock that outlived its ttl may be taken by the next; it is the next one's then, and who had it before
# can't give it back any more: a lock of redis-py says so, by LockNotOwnedError.
# True, in huey 3.5.4 with RedisExpireHuey (and fakeredis 2.41.0 in the place of Redis): whoever leaves lock_task(…,
# ttl=…) deletes the key, whosesoever it is. So where one task takes longer than the ttl, the second begins while it is
# at it, which one would expect; as the first ends it frees the second's lock, the third begins, and so on: from then on
# two run side by side for as long as there is work, though each takes less than the ttl. In memory, for tests, a ttl is
# passed over without a word; SQLite refuses it.
# Hurt: whoever locks by it what must not overlap, such as a sync of one account or a bill run: one slow run is enough
# for all that follow to overlap; and two do what one was to do, until the queue happens to be empty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'huey==3.5.4' 'fakeredis[lua]==2.41.0' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" -W ignore - <<'PYTHON'
import time
from importlib.metadata import version

import fakeredis
from huey import MemoryHuey, RedisExpireHuey
from huey.exceptions import TaskLockedException
from redis.exceptions import LockNotOwnedError

print("huey", version("huey"), "fakeredis", version("fakeredis"))
TTL = 1
redis = fakeredis.FakeRedis()
huey = RedisExpireHuey(connection_pool=redis.connection_pool)


def begins(name, of=huey):
    """The lock, if that one gets it."""
    lock = of.lock_task("sync", ttl=TTL)
    try:
        lock.acquire()
    except TaskLockedException:
        print(f"{name:7} is kept out")
        return None
    print(f"{name:7} begins")
    return lock


one, other = redis.lock("sync", timeout=TTL), redis.lock("sync", timeout=TTL)
assert one.acquire(blocking=False)
time.sleep(TTL + 0.2)
assert other.acquire(blocking=False)
try:
    one.release()
except LockNotOwnedError:
    assert other.owned()
else:
    raise AssertionError("expected: redis-py refuses")
with huey.lock_task("sync", ttl=TTL):
    assert begins("second") is None
    time.sleep(TTL + 0.2)
    second = begins("second")
    assert second
    assert begins("third") is None
print("first   ends")
third = begins("third")
assert third, "expected by its users: the second has it, and keeps the third out"
second.__exit__(None, None, None)
print("second  ends")
assert begins("fourth"), "expected by its users: the third has it, and keeps the fourth out"
memory = MemoryHuey()
assert begins("one", memory)
time.sleep(TTL + 0.2)
assert begins("another", memory) is None, "expected by its users: it begins, or an error for the ttl"
PYTHON
