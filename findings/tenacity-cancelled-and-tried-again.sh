#!/usr/bin/env bash
# Expected: a retry that is for errors lets a cancellation through: a task that is cancelled ends, and
# asyncio.timeout() around it does what it says.
# True, in tenacity 9.2.1: so it is, unless retry_if_not_exception_type() or a function of one's own says
# what is tried again, as one does to except the errors that will not mend themselves. For these are asked
# of CancelledError, KeyboardInterrupt and SystemExit too, and say yes. The cancelled call is begun again,
# the timeout passes without TimeoutError, and Ctrl-C becomes a second attempt.
# Hurt: whoever stops workers or bounds calls: the payment that was given a second is made anew after it,
# and the caller hears of success.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'tenacity==9.2.1' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
from importlib.metadata import version

import tenacity

print("tenacity", version("tenacity"))


async def bounded(retry):
    attempts = 0

    @tenacity.retry(retry=retry, stop=tenacity.stop_after_attempt(3))
    async def pay():
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            await asyncio.Event().wait()  # the other side does not answer
        return "paid"

    try:
        async with asyncio.timeout(0.2):
            outcome = await pay()
    except TimeoutError:
        outcome = "timed out"
    return outcome, attempts


def interrupted(retry):
    attempts = 0

    @tenacity.retry(retry=retry, stop=tenacity.stop_after_attempt(3))
    def work():
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise KeyboardInterrupt
        return "went on"

    try:
        return work(), attempts
    except KeyboardInterrupt:
        return "interrupted", attempts


retries = {
    "the default": tenacity.retry_if_exception_type(),
    "retry_if_not_exception_type": tenacity.retry_if_not_exception_type(ValueError),
    "retry_if_exception": tenacity.retry_if_exception(lambda error: not isinstance(error, ValueError)),
}
seen = {name: (asyncio.run(bounded(retry)), interrupted(retry)) for name, retry in retries.items()}
for name, (timeout, interrupt) in seen.items():
    print(f"{name:28} after a timeout: {timeout}  after Ctrl-C: {interrupt}")
assert seen.pop("the default") == (("timed out", 1), ("interrupted", 1))
for outcome in seen.values():
    assert outcome == (("paid", 2), ("went on", 2)), "expected by its users: as with the default"
PYTHON
