#!/usr/bin/env bash
# Expected: max_retries=1 tries a task that failed once more, as it does in Celery; and 0 does not.
# True, in taskiq 0.13.0: what is called the number of retries is that of the attempts. With 1 a task is
# never tried again, as with 0; with default_retry_count=3 it is run three times. Both middlewares,
# SimpleRetryMiddleware and SmartRetryMiddleware, count so.
# Hurt: whoever gives a task one more chance against a network that blinks: it has none, and its log says
# that the maximum of retries is reached, as if there had been one.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'taskiq==0.13.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import logging
from importlib.metadata import version

from taskiq import InMemoryBroker, SimpleRetryMiddleware, SmartRetryMiddleware

logging.disable()
print("taskiq", version("taskiq"))


async def runs(middleware, **labels):
    broker = InMemoryBroker(await_inplace=True).with_middlewares(middleware)
    count = 0

    @broker.task(retry_on_error=True, **labels)
    async def call():
        nonlocal count
        count += 1
        raise ConnectionError

    await broker.startup()
    await call.kiq()
    await broker.wait_all()
    await broker.shutdown()
    return count


async def main():
    seen = {}
    for middleware in (SimpleRetryMiddleware, SmartRetryMiddleware):
        options = {} if middleware is SimpleRetryMiddleware else {"default_delay": 0, "use_jitter": False}
        made = middleware(default_retry_count=3, **options)
        name = middleware.__name__
        seen[name] = [await runs(made, max_retries=number) for number in (0, 1, 2)] + [await runs(made)]
        print(f"{name}: max_retries of 0, 1 and 2 run {seen[name][:3]} times; a default of 3, {seen[name][3]}")
    assert seen["SimpleRetryMiddleware"] == [1, 1, 2, 3], "expected by its users: [1, 2, 3, 4]"
    assert seen["SmartRetryMiddleware"] == [1, 1, 2, 3], "expected by its users: [1, 2, 3, 4]"


asyncio.run(main())
PYTHON
