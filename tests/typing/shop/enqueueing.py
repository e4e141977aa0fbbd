"""Jobs come in."""

from datetime import UTC, datetime
from typing import assert_type

from shop.jobs import send_receipt

from forge_jobs import NewJob, aenqueue, enqueue, enqueue_many
from forge_jobs.models import Job

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

assert_type(enqueue("shop.jobs.send_receipt", {"order_id": 1}, run_at=NOON), Job)
assert_type(send_receipt.enqueue(order_id=1), Job)
assert_type(send_receipt.using(priority=10, run_at=NOON).enqueue(order_id=1), Job)
enqueue_many([NewJob("shop.jobs.send_receipt", {"order_id": 1})])

# expect error: Unexpected keyword argument "prio"
enqueue("shop.jobs.send_receipt", {"order_id": 1}, prio=10)
# expect error: Argument "run_at"
enqueue("shop.jobs.send_receipt", {"order_id": 1}, run_at="noon")
# expect error: Unexpected keyword argument "prio"
send_receipt.using(prio=10)


async def in_an_async_view() -> Job:
    # expect error: Incompatible return value type
    return aenqueue("shop.jobs.send_receipt", {"order_id": 1})
