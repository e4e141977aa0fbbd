#!/usr/bin/env bash
# Expected: who waits for an AsyncLimiter has its turn in the order of coming, or at least at some time, as its
# waiting is one for capacity that comes back steadily.
# True, in aiolimiter 1.3.0: the smallest amount goes first, whenever it came, and a newcomer does not queue up. Where
# acquire(1) is asked for as quickly as it is given, an acquire(5) never comes to its turn: each place that gets
# free is taken before there are five. Once the others stop, it has it. The documentation tells of amounts,
# and of no order.
# Hurt: whoever lets large and small calls share a limit, by bytes, tokens or rows: under load, when it counts,
# the large ones wait for ever; and a timeout around them makes of it failures that look like the other side's.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'aiolimiter==1.3.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
from importlib.metadata import version

from aiolimiter import AsyncLimiter


async def main():
    limiter = AsyncLimiter(10, time_period=0.1)
    served = []

    async def ask(name, amount):
        await limiter.acquire(amount)
        served.append(name)

    async def keep_asking():
        while True:
            await ask("small", 1)

    small = [asyncio.create_task(keep_asking()) for _ in range(3)]
    await asyncio.sleep(0.1)
    large = asyncio.create_task(ask("large", 5))
    await asyncio.sleep(0)
    before = len(served)
    while len(served) < before + 200:
        await asyncio.sleep(0.01)
    print("small ones served since the large one asked:", len(served) - before)
    starved = not large.done()
    for task in small:
        task.cancel()
    await asyncio.wait_for(large, timeout=10)
    print("the large one, while they went on:", "waiting" if starved else "served")
    print("the large one, once they stopped: served")
    return starved


print("aiolimiter", version("aiolimiter"))
assert asyncio.run(main()), "expected by its users: served after five places at most"
PYTHON
