"""Whether a handler may make its job a success in a transaction of its own."""

from typing import Any

from forge_jobs import db
from forge_jobs.db.rows import ClaimedJob
from forge_jobs.exceptions import InvalidStep, NotAResult
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.settlement_texts import result_text
from forge_jobs.sets.refusals import refuse_atomic


def completed(job: ClaimedJob, result: Any) -> str | None:
    """The result as it is stored; raises `InvalidStep`."""
    refuse_atomic(job.kind, "ctx.complete()")
    handler = registry.find(job.kind)
    if handler and handler.resident:
        raise InvalidStep(
            f"{job.kind} is resident and can't be completed: return Snoozed(delay=...).",
            field="resident",
        )
    if not db.connection().in_atomic_block:
        raise InvalidStep(
            f"ctx.complete() commits with a transaction of the database "
            f"{db.connection().alias!r}, and none is open: call it at the end of an atomic(), or "
            f"return the result.",
            field="transaction",
        )
    try:
        return None if result is None else result_text(result)
    except NotAResult as error:
        raise InvalidStep(str(error), field="result") from None
