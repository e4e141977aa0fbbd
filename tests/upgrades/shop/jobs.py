"""One handler for each thing that both releases must agree about while they run side by side.

Each tells the ledger of each of its runs.
"""

import time
from datetime import timedelta
from typing import TypedDict

from forge_jobs import Chunk, JobContext, batch, chunk_job, job, schedule
from forge_jobs.backoff import Fixed
from tests.faults.at_size.ledger import write

SECONDS = 0.02
SOON = Fixed(delay=timedelta(seconds=0.5))
RETRIED = "as it should"


@job
def plain(*, number: int) -> None:
    write("begun", number)
    time.sleep(SECONDS)


@job
def delayed(*, number: int) -> None:
    write("begun", number)


@job(takes_context=True, retry=SOON)
def recovering(ctx: JobContext, *, number: int) -> None:
    write("begun", number)
    if ctx.attempt == 1:
        raise ValueError(RETRIED)


@job(concurrency_key=lambda payload: f"customer {payload['number'] % 2}")
def keyed(*, number: int) -> None:
    write("begun", number)
    write("holds", number)
    time.sleep(SECONDS)
    write("frees", number)


@job(queue="limited")
def limited(*, number: int) -> None:
    write("begun", number)
    time.sleep(SECONDS)


@job
def posted_twice(*, number: int) -> None:
    write("begun", number)


@job(
    takes_context=True,
    priority=50,
    schedules=[schedule("@every 1s", name="beat", overlap="queue", catch_up="all")],
)
def beat(ctx: JobContext) -> None:
    assert ctx.due_at
    write("due", int(ctx.due_at.timestamp()))


@job(max_attempts=1)
def dying(*, number: int) -> None:
    write("begun", number)
    raise ValueError(RETRIED)


@job(takes_context=True, retry=SOON)
def charging(ctx: JobContext, *, number: int) -> None:
    write("begun", number)
    ctx.step("charge", write, "charged", number)
    if ctx.attempt == 1:
        raise ValueError(RETRIED)


class Parcel(TypedDict):
    number: int


@chunk_job(size=4)
def sent_together(chunk: Chunk[Parcel]) -> None:
    for item in chunk:
        write("begun", item.payload["number"])
        item.done()


@job
def packed(*, part: int) -> None:
    time.sleep(part * SECONDS)


@job
def sent(*, number: int) -> None:
    write("begun", number)


HANDLERS = (
    *(plain, delayed, recovering, keyed, limited, posted_twice, dying),
    *(charging, sent_together, sent),
)


def order(number: int) -> None:
    """Enqueue the job of a number: which handler's is up to the number."""
    handler = HANDLERS[number % len(HANDLERS)]
    if handler is delayed:
        handler.using(delay=1).enqueue(number=number)
    elif handler is posted_twice:
        for _ in range(2):
            handler.using(idempotency_key=f"order {number}").enqueue(number=number)
    elif handler is sent:
        with batch("parts", on_success=sent.new(number=number)) as parts:
            packed.using(batch=parts).enqueue_many({"part": part} for part in range(2))
    else:
        handler.enqueue(number=number)
