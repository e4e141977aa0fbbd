"""Handlers, and what they say."""

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from forge_jobs import Done, JobContext, JobHandler, Outcome, Snoozed, job, register


@job
def send_receipt(order_id: int, *, copies: int = 1) -> str:
    return f"{copies} of {order_id}"


@job(queue="mail", max_attempts=5, timeout=timedelta(minutes=1), takes_context=True)
def send_reminder(ctx: JobContext, *, order_id: int) -> Outcome:
    return Snoozed(delay=timedelta(hours=1)) if ctx.cancelled else Done({"order": order_id})


@job(validate=True, takes_context=True)
def pay_back(ctx: JobContext, payment: UUID, *, due: date | None = None) -> None: ...


# expect error: Unexpected keyword argument "max_attemps"
@job(max_attemps=5)
def send_offer() -> None: ...


class Reports(JobHandler):
    kind = "shop.report"
    priority = 10

    def run(self, ctx: JobContext, payload: dict[str, Any]) -> Outcome:
        ctx.progress(1, 10, "begun")
        # expect error: incompatible type "str"
        ctx.progress("1 of 10")
        return Done()


register(Reports())
# expect error: Value of type variable "H" of "register"
register(Reports)
