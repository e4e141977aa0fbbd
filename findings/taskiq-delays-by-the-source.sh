#!/usr/bin/env bash
# Expected: SmartRetryMiddleware(default_delay=5, use_delay_exponent=True) waits twice as long each time: 5, 10,
# 20, 40 seconds and so on, up to max_delay_exponent, for it says of itself that this is exponential; and the
# same whatever carries the task.
# True, in taskiq 0.13.0: the delay is multiplied by the number of the attempt. With a schedule source it grows
# by the same each time: 5, 10, 15, 20. Without one each delay stays on the message as its label, and is what
# the next attempt multiplies: 5, 10, 30, 120. And a task that was sent with a delay of its own begins at that.
# Hurt: whoever reckons how long a task holds out while a service is down. Twelve attempts, which last for three
# hours if each wait is twice the last, are spent in six minutes with a source; without one the sixth waits
# for an hour.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check 'taskiq==0.13.0' 2>/dev/null
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import logging
from datetime import UTC, datetime
from importlib.metadata import version

from taskiq import InMemoryBroker, ScheduleSource, SmartRetryMiddleware, TaskiqMiddleware

logging.disable()
print("taskiq", version("taskiq"))


class Noting(TaskiqMiddleware):
    """Note by which delay each message is sent, as a broker that can wait would read it."""

    def __init__(self):
        super().__init__()
        self.delays = []

    def pre_send(self, message):
        if "delay" in message.labels:
            self.delays.append(round(float(message.labels["delay"])))
        return message


class Soon(ScheduleSource):
    """A source that notes in how many seconds a task is due, and sends it at once."""

    def __init__(self, broker):
        self.broker = broker
        self.delays = []

    async def get_schedules(self):
        return []

    async def add_schedule(self, schedule):
        self.delays.append(round((schedule.time - datetime.now(UTC)).total_seconds()))
        task = self.broker.find_task(schedule.task_name)
        await task.kicker().with_labels(**schedule.labels).kiq()


async def delays(*, with_source, first=None):
    broker, noting = InMemoryBroker(await_inplace=True), Noting()
    source = Soon(broker)
    retrying = SmartRetryMiddleware(
        default_retry_count=6,
        default_delay=5,
        use_jitter=False,
        use_delay_exponent=True,
        max_delay_exponent=3600,
        schedule_source=source if with_source else None,
    )
    broker = broker.with_middlewares(retrying, noting)

    @broker.task(retry_on_error=True)
    async def call():
        raise ConnectionError

    await broker.startup()
    kicker = call.kicker()
    await (kicker if first is None else kicker.with_labels(delay=first)).kiq()
    await broker.wait_all()
    await broker.shutdown()
    return source.delays if with_source else noting.delays


async def main():
    seen = {
        "with a schedule source": await delays(with_source=True),
        "without one": await delays(with_source=False),
        "with one, sent with a delay of 600": await delays(with_source=True, first=600),
    }
    for name, came in seen.items():
        print(f"{name}: {came} seconds")
    assert seen["with a schedule source"] == [5, 10, 15, 20, 25], "expected by its users: [5, 10, 20, 40, 80]"
    assert seen["without one"] == [5, 10, 30, 120, 600], "expected by its users: [5, 10, 20, 40, 80]"
    assert seen["with one, sent with a delay of 600"] == [600, 1200, 1800, 2400, 3000]


asyncio.run(main())
PYTHON
