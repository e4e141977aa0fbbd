#!/usr/bin/env bash
# Expected: a retry "with exponential backoff and jitter" has jitter at each wait, so that those who failed together
# do not come back together; what it is capped at is what it grows to.
# True, in tenacity 9.2.1 and stamina 26.1.0, which is built upon it: the cap is put upon the sum of both. From the wait
# on that reaches it all wait for the same time, to the microsecond: five seconds from the seventh on with stamina's
# defaults. Their docstrings have the formula, and do not say what follows from it. backoff 2.2.1 and Celery 5.7.0
# draw below the cap.
# Hurt: whoever is down for longer than a few seconds: the clients that were scattered at first come in step then, and
# it is the long outage for which one has jitter. A job that retries for an hour has it in the first seconds alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    'tenacity==9.2.1' 'stamina==26.1.0' 'backoff==2.2.1' 'celery==5.7.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import random
from importlib.metadata import version
from itertools import islice

import backoff
import stamina
import tenacity
from celery.utils.time import get_exponential_backoff_interval

CLIENTS, ATTEMPTS = 20, 9
for name in ("tenacity", "stamina", "backoff", "celery"):
    print(name, version(name), end="  ")
print()


def of_tenacity(sleep):
    waits = tenacity.wait_exponential_jitter(max=5, multiplier=0.1)
    stop = tenacity.stop_after_attempt(ATTEMPTS + 1)
    return tenacity.Retrying(wait=waits, stop=stop, sleep=sleep, reraise=True)


def waits_of_tenacity():
    waited = []
    try:
        of_tenacity(waited.append)(fail)
    except OSError:
        return waited


def fail():
    raise OSError


def waits_of_stamina():
    waited = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: waited.append(details.wait_for)])
    real, tenacity.nap.time.sleep = tenacity.nap.time.sleep, lambda seconds: None
    try:
        stamina.retry(on=OSError, attempts=ATTEMPTS + 1, timeout=None)(fail)()
    except OSError:
        return waited
    finally:
        tenacity.nap.time.sleep = real


def waits_of_backoff():
    waits = backoff.expo(factor=0.1, max_value=5)
    next(waits)
    return [backoff.full_jitter(wait) for wait in islice(waits, ATTEMPTS)]


def waits_of_celery():
    return [
        get_exponential_backoff_interval(1, retries, maximum=1000, full_jitter=True)
        for retries in range(ATTEMPTS + 6)
    ]


def different(waits):
    """How many of the clients' last waits differ, and how many of their first."""
    random.seed(1)
    clients = [waits() for _ in range(CLIENTS)]
    first, last = ({client[place] for client in clients} for place in (0, -1))
    print(f"{waits.__name__:18} {CLIENTS} clients: first waits {len(first)}, last waits {len(last)}: ", end="")
    print(sorted(last)[0], "to", sorted(last)[-1])
    return len(first), len(last)


for waits in (waits_of_tenacity, waits_of_stamina):
    assert different(waits) == (CLIENTS, 1), f"expected by its users: {CLIENTS}, {CLIENTS}"
assert different(waits_of_backoff) == (CLIENTS, CLIENTS)
assert different(waits_of_celery)[1] > CLIENTS / 2
PYTHON
