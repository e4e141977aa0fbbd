#!/usr/bin/env bash
# Expected: of two jobs that are enqueued with one job_id the second is refused, or left out, or takes the
# place of the first in the queue.
# True, in rq 3.0.0 (with fakeredis 2.41.0 in the place of Redis): unless one also says unique=True, the second
# is written over the first, and its id is put into the queue once more. So the first is lost, without a
# word, and the second runs twice.
# Hurt: whoever gives ids so that nothing is done twice, such as "charge-order-42": it is what makes it so. And
# of two mails with one id the first is never sent, and the second is sent twice.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'rq==3.0.0' 'fakeredis[lua]==2.41.0' 2>/dev/null
cat >"$folder/shop.py" <<'PYTHON'
charged = []


def charge(amount):
    charged.append(amount)
PYTHON
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import logging
from importlib.metadata import version

import fakeredis
import rq
import shop

logging.disable()
print("rq", version("rq"), "fakeredis", version("fakeredis"))


def charged(*calls):
    """What one worker runs of them, and which of them were refused."""
    queue = rq.Queue(connection=fakeredis.FakeStrictRedis(server=fakeredis.FakeServer()))
    shop.charged.clear()
    refused = []
    for amount, options in calls:
        try:
            queue.enqueue(shop.charge, amount, **options)
        except rq.exceptions.DuplicateJobError:
            refused.append(amount)
    rq.SimpleWorker([queue], connection=queue.connection).work(burst=True)
    return shop.charged[:], refused


ID = {"job_id": "charge-order-42"}
same = charged((10, ID), (20, ID))
unique = charged((10, ID | {"unique": True}), (20, ID | {"unique": True}))
print("10 and then 20 with one id: charged, and refused", same, "with unique=True", unique)
assert unique == ([10], [20])
assert same == ([20, 20], []), "expected by its users: one of them, once"
PYTHON
