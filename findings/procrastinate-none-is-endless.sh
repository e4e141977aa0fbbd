#!/usr/bin/env bash
# Expected: RetryStrategy(max_attempts=0) retries as often as retry=0 does: not at all; and each lower number means fewer
# attempts.
# True, in procrastinate 3.10.0: 0 is taken for "not given", which is without an end. A job that fails is begun again for
# ever, at once where no wait is given. With 2, 1 and None it is as one would guess, and retry=0 of a task is never.
# Hurt: whoever has the number in a setting or a form, and puts it to 0 to stop retries, in an incident, say: of
# payments or mails that are not to be sent twice, each one that fails is sent without end from then on.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'procrastinate==3.10.0' 2>/dev/null
cat >"$folder/payments.py" <<'PYTHON'
import asyncio
import logging
from importlib.metadata import version

from procrastinate import App, RetryStrategy
from procrastinate.testing import InMemoryConnector

ENOUGH = 50
logging.disable()
print("procrastinate", version("procrastinate"))


def runs(retry):
    """How often a job that fails is run; this one gives in after fifty."""
    app, made = App(connector=InMemoryConnector()), []

    @app.task(name="pay", retry=retry)
    def pay():
        made.append("payment")
        if len(made) < ENOUGH:
            raise OSError

    async def work():
        async with app.open_async():
            await pay.defer_async()
            await app.run_worker_async(wait=False, install_signal_handlers=False)

    asyncio.run(work())
    print(f"{retry} => {len(made)} runs")
    return len(made)


assert [runs(RetryStrategy(max_attempts=count)) for count in (2, 1)] == [3, 2]
assert runs(0) == 1
assert runs(RetryStrategy(max_attempts=0)) == ENOUGH, "expected by its users: 1"
PYTHON
"$folder/venv/bin/python" -c "import sys; sys.path.insert(0, '$folder'); import payments"
