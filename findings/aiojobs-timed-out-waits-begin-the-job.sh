#!/usr/bin/env bash
# Expected: job.wait(timeout=…) of a job that still waits for its turn raises TimeoutError, and the job "is in closed
# state after finishing the method", as the documentation of aiojobs says of a timeout: it will not run. And of a
# Scheduler with limit=1 one runs at a time.
# True, in aiojobs 1.4.0: such a wait raises InvalidStateError, and begins the job, whatever the limit is, next to the
# one that has the place. It then runs to its end, though the job says that it is closed. Ten that give up begin ten at
# once. Of a job that has its turn a timeout is as one expects: TimeoutError, and it is cancelled.
# Hurt: whoever lets a request wait for a while for its turn at something that bears one at a time, or ten: when there
# is most to do, each that gives up adds one to what is running, and what was told as failed is done all the same.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'aiojobs==1.4.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
from importlib.metadata import version

import aiojobs

print("aiojobs", version("aiojobs"))


class Work:
    """Runs until it is let go, and knows how many did so at the same time."""

    def __init__(self):
        self.running = self.most = 0
        self.done = []
        self.go = asyncio.Event()

    async def run(self, name):
        self.running += 1
        self.most = max(self.most, self.running)
        try:
            await self.go.wait()
            self.done.append(name)
        finally:
            self.running -= 1


async def given_up(job):
    """What a wait of a moment for that job raises."""
    try:
        await job.wait(timeout=0.01)
    except Exception as error:
        return type(error).__name__


async def main():
    work = Work()
    async with aiojobs.Scheduler(limit=1, pending_limit=100) as scheduler:
        await scheduler.spawn(work.run("first"))
        waiting = [await scheduler.spawn(work.run(f"waiting {number}")) for number in range(10)]
        await asyncio.sleep(0.01)
        assert (work.running, scheduler.pending_count) == (1, 10)

        errors = {await given_up(job) for job in waiting}
        await asyncio.sleep(0.01)
        print("ten that waited, given up:", errors, "closed:", {job.closed for job in waiting})
        print("of a limit of 1 run at the same time:", work.running)
        assert errors == {"InvalidStateError"}, "expected by its users: TimeoutError"
        assert all(job.closed for job in waiting)
        assert work.most == 11, "expected by its users: 1"

        work.go.set()
        await asyncio.sleep(0.01)
        print("done all the same:", len(work.done) - 1)
        assert len(work.done) == 11, "expected by its users: 1"

        work.go.clear()
        job = await scheduler.spawn(work.run("last"))
        print("one that has its turn, given up:", await given_up(job), "running:", work.running)
        assert work.running == 0


asyncio.run(main())
PYTHON
