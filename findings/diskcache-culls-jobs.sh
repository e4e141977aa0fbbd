#!/usr/bin/env bash
# Expected: what was put into a queue by push() stays until pull() takes it, and a Lock is held until it is released, as
# what a Deque holds does; nothing of it has been given a time to expire.
# True, in diskcache 5.6.3: in a Cache, which push(), pull(), Lock, RLock and BoundedSemaphore are for, they are entries
# as all others. Once it is as large as its size_limit, a gigabyte unless somebody says otherwise, each set() and push()
# throws out those that were stored first: the jobs that have waited longest, and the lock that is held for longest.
# No error says so, and the next worker takes the lock. eviction_policy="none" helps, as a Deque has it.
# Hurt: whoever has a queue or locks in the cache that is there already: when work piles up, the oldest of it is gone,
# and when pages pile up, two do what one is to do. With less than a gigabyte, as in each test, all is kept.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'diskcache==5.6.3' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import diskcache

print("diskcache", version("diskcache"), "size_limit", diskcache.DEFAULT_SETTINGS["size_limit"])
LIMIT = 2**20
TEXT = "x" * 10_000


def pulled(**settings):
    """The numbers of 300 jobs of ten kilobytes that come out again, where there is room for some hundred."""
    cache = diskcache.Cache(directory=f"queue-{len(settings)}", size_limit=LIMIT, **settings)
    for number in range(300):
        cache.push((number, TEXT))
    found = []
    while (job := cache.pull()[1]) is not None:
        found.append(job[0])
    return found


def held(**settings):
    """Whether a lock is still held after 300 pages, and whether a second worker gets one of its own then."""
    cache = diskcache.Cache(directory=f"lock-{len(settings)}", size_limit=LIMIT, **settings)
    lock = diskcache.Lock(cache, "charge")
    lock.acquire()
    for number in range(300):
        cache.set(number, TEXT)
    return lock.locked(), cache.add("charge", None)


kept, some = pulled(eviction_policy="none"), pulled()
firm, loose = held(eviction_policy="none"), held()
print("300 jobs: without eviction", len(kept), "come out; by default", len(some), "and the first is", some[0])
print("a lock after 300 pages is held, and given to another too: without eviction", firm, "by default", loose)
assert kept == list(range(300))
assert len(some) < 200 and some[-1] == 299 and 0 not in some, "expected by its users: all, from 0 on"
assert firm == (True, False)
assert loose == (False, True), "expected by its users: True, False"
PYTHON
