"""Jobs come in."""

from datetime import UTC, date, datetime
from typing import assert_type
from uuid import uuid4

from shop.jobs import pay_back, send_receipt, send_reminder

from forge_jobs import NewJob, aenqueue, enqueue, enqueue_many
from forge_jobs.models import Job

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

assert_type(enqueue("shop.jobs.send_receipt", {"order_id": 1}, run_at=NOON), Job)
assert_type(send_receipt.enqueue(order_id=1), Job)
assert_type(send_receipt.using(priority=10, run_at=NOON).enqueue(order_id=1), Job)
assert_type(send_receipt.enqueue(1, copies=2), Job)
assert_type(send_receipt.using(delay=5).new(order_id=1), NewJob)
assert_type(send_receipt(1), str)  # a handler is still its function
send_reminder.enqueue(order_id=1)  # without the context, which no payload holds
enqueue_many([NewJob("shop.jobs.send_receipt", {"order_id": 1})])
assert_type(pay_back.enqueue(uuid4(), due=date(2026, 3, 2)), Job)

# expect error: Unexpected keyword argument "prio"
enqueue("shop.jobs.send_receipt", {"order_id": 1}, prio=10)
# expect error: Argument "run_at"
enqueue("shop.jobs.send_receipt", {"order_id": 1}, run_at="noon")
# expect error: Unexpected keyword argument "prio"
send_receipt.using(prio=10)
# expect error: Argument "order_id" to "enqueue"
send_receipt.enqueue(order_id="one")
# expect error: Missing positional argument "order_id"
send_receipt.enqueue()
# expect error: Unexpected keyword argument "oder_id"
send_receipt.using(priority=10).enqueue(oder_id=1)
# expect error: Too many arguments for "new"
send_reminder.new(1, 2, order_id=1)
# expect error: Argument "order_id" to "new"
send_reminder.new(order_id="one")

# expect error: Argument "due" to "new"
pay_back.new(uuid4(), due="2026-03-02")


async def in_an_async_view() -> Job:
    # expect error: Incompatible return value type
    return aenqueue("shop.jobs.send_receipt", {"order_id": 1})
