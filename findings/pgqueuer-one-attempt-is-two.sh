#!/usr/bin/env bash
# Expected: max_attempts=1 of DatabaseRetryEntrypointExecutor runs a job once, and 5, which it has unless somebody says
# otherwise, five times: "after max_attempts consecutive failures the exception propagates", says its docstring, and its
# guide of the default that "the 5th failure is terminal".
# True, in pgqueuer 1.6.0: it is one more. What it compares is job.attempts, which is 0 in the first run, so that with 1
# a job runs twice and with 5 six times; 0 is what runs it once. A table in the guide calls the same "maximum retries",
# which it is. With the executor that is there by default a job that fails runs once.
# Hurt: whoever says 1 because a second time does harm, as with a payment, a mail or a call that is not to be repeated:
# it is repeated after a second. And whoever looks at job.attempts to know the last run: it is max_attempts by then, and
# not one less.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'pgqueuer==1.6.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import logging
from datetime import timedelta
from importlib.metadata import version

from pgqueuer import PgQueuer
from pgqueuer.executors import DatabaseRetryEntrypointExecutor, EntrypointExecutor
from pgqueuer.types import QueueExecutionMode

logging.disable(logging.CRITICAL)
print("pgqueuer", version("pgqueuer"))


async def runs(name, executor):
    """The number of attempts that each run of a job that always fails was told of."""
    pgq = PgQueuer.in_memory()
    told = []

    @pgq.entrypoint("pay", executor_factory=executor)
    async def pay(job):
        told.append(job.attempts)
        raise ConnectionError

    await pgq.qm.queries.enqueue("pay", None)
    while await pgq.qm.queries.queue_size():
        await pgq.qm.run(dequeue_timeout=timedelta(seconds=0), mode=QueueExecutionMode.drain)
    print(f"{name:15} runs it {len(told)} times, with job.attempts {told}")
    return len(told)


def attempts(count):
    def executor(parameters):
        return DatabaseRetryEntrypointExecutor(
            parameters=parameters, max_attempts=count, initial_delay=timedelta(milliseconds=1)
        )

    return executor


async def main():
    assert await runs("by default", lambda parameters: EntrypointExecutor(parameters=parameters)) == 1
    assert await runs("max_attempts=0", attempts(0)) == 1
    assert await runs("max_attempts=1", attempts(1)) == 2, "expected by its users: 1"
    assert await runs("max_attempts=5", attempts(5)) == 6, "expected by its users: 5"


asyncio.run(main())
PYTHON
