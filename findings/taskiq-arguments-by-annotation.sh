#!/usr/bin/env bash
# Expected: an argument that JSON has no room for arrives as what it was, as in Celery, or is refused when it is sent,
# as by dramatiq; and one that does not fit its annotation makes the task fail.
# True, in taskiq 0.13.0: what arrives depends on whether somebody annotated the parameter. A datetime, a Decimal or
# bytes are texts without an annotation, a timedelta is the text "P1D", a set is a list and a NaN is None, each without
# a word; with one the first three are read again. What does not fit is logged as a warning and handed over as it is: an
# "x" for an int, and a None, which a NaN has become, for a float. bytes that are no UTF-8 are refused. Celery 5.7.0 has
# datetimes, Decimals and bytes as they were, and refuses sets and timedeltas.
# Hurt: whoever takes an annotation away, or decorates a function that had none: "due < now" fails, or with a text
# beside a text is compared by its letters; "1.10" * 2 is "1.101.10"; and the type that one trusts in the function is
# not there.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  'taskiq==0.13.0' 'celery==5.7.0' 'dramatiq==2.2.1' 2>/dev/null
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import logging
import math
from datetime import datetime, timedelta
from decimal import Decimal
from importlib.metadata import version

from dramatiq.encoder import JSONEncoder
from kombu.serialization import dumps, loads
from taskiq import InMemoryBroker

logging.disable()
print("taskiq", version("taskiq"), "celery", version("celery"), "dramatiq", version("dramatiq"))
NOON = datetime(2026, 11, 28, 12)
broker = InMemoryBroker(await_inplace=True)
arrived = []


@broker.task
def bare(value):
    arrived.append(value)


@broker.task
def moment(value: datetime):
    arrived.append(value)


@broker.task
def amount(value: Decimal):
    arrived.append(value)


@broker.task
def number(value: int):
    arrived.append(value)


@broker.task
def measure(value: float):
    arrived.append(value)


def sent(task, value):
    """What the task gets, if it was run without an error."""

    async def send():
        assert not (await (await task.kiq(value)).wait_result()).is_err

    arrived.clear()
    asyncio.run(send())
    print(f"{task.task_name.split(':')[1]:8} {value!r:38} {arrived[0]!r}")
    return arrived[0]


def by_celery(value):
    content_type, encoding, data = dumps(value, serializer="json")
    return loads(data, content_type, encoding)


def refused(by, value):
    try:
        by(value)
    except Exception as error:
        return type(error).__name__
    return None


assert sent(moment, NOON) == NOON
assert sent(amount, Decimal("1.10")) == Decimal("1.10")
assert sent(bare, NOON) == "2026-11-28T12:00:00", "expected by its users: the datetime, or an error"
assert sent(bare, Decimal("1.10")) == "1.10", "expected by its users: the Decimal, or an error"
assert sent(bare, b"abc") == "abc", "expected by its users: the bytes, or an error"
assert sent(bare, timedelta(days=1)) == "P1D", "expected by its users: the timedelta, or an error"
assert sent(bare, {1}) == [1], "expected by its users: the set, or an error"
assert sent(measure, math.nan) is None, "expected by its users: nan, or an error"
assert sent(number, "x") == "x", "expected by its users: an error"
for value in (NOON, Decimal("1.10"), b"abc"):
    assert by_celery(value) == value and type(by_celery(value)) is type(value)
for value in (timedelta(days=1), {1}):
    assert refused(by_celery, value)
for value in (NOON, Decimal("1.10"), b"abc", timedelta(days=1), {1}):
    assert refused(JSONEncoder().encode, {"value": value})
PYTHON
