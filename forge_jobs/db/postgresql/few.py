"""Claims of a few jobs: the way in of one that came by itself, and that nothing is ahead of."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from psycopg.pq.abc import PGresult

from forge_jobs.db.postgresql import prepared
from forge_jobs.db.postgresql.bystanders import session_of
from forge_jobs.db.postgresql.claims import CLAIM, as_array
from forge_jobs.db.postgresql.jobs import as_text
from forge_jobs.db.postgresql.pipeline import Pipeline, Question, can_pipeline
from forge_jobs.db.rows import ClaimedJob

FEW: Final = 64
"""Of more, the driver reads the rows faster."""

# A plan that is kept for any `limit` the server takes only if it finds it as good as one for this
# `limit`; and there is no other index by which a claim could go, be there many jobs or none.
NUMBERED: Final = {
    "queue": "$1::text",
    "kinds": "$2::text[]",
    "limit": "$3::integer",
    "process": "$4::bigint",
    "now": "$5::timestamptz",
}
KEPT_CLAIM: Final = "forge_jobs_claim"
CLAIM_AS_KEPT: Final = CLAIM % NUMBERED


def claim_few(
    connection: Any,
    *,
    queue: str,
    kinds: Sequence[str],
    limit: int,
    process: int,
    now: datetime,
) -> list[ClaimedJob] | None:
    """As `claim()` from the front; None where it is to be asked as ever.

    To read and to plan the statement, and to write it and make a cursor for it here, takes longer
    than to execute it: so the server keeps it.
    """
    if limit > FEW or not prepared.may_be(session_of(connection)) or not can_pipeline(connection):
        return None
    shown = {"queue": queue, "kinds": kinds, "limit": limit, "process": process, "now": now}
    values = [queue, as_array(tuple(kinds)), str(limit), str(process), now.isoformat()]
    question = Question(KEPT_CLAIM, CLAIM_AS_KEPT, values, CLAIM, shown)
    with Pipeline(connection, question) as pipeline:
        answer = pipeline.insist()
    claimed_at = as_text(now)
    return [_job(answer, row, claimed_at) for row in range(answer.ntuples)]


def _job(answer: PGresult, row: int, claimed_at: str) -> ClaimedJob:
    (
        pk, queue, kind, payload, context, priority, run_at, attempt, max_attempts, timeout,
        concurrency_key, enqueued_at, expires_at,
    ) = [_text(answer.get_value(row, place)) for place in range(answer.nfields)]  # fmt: skip
    return ClaimedJob(
        int(pk),
        queue,
        kind,
        payload,
        context,
        int(priority),
        datetime.fromisoformat(run_at),
        int(attempt),
        int(max_attempts) if max_attempts else None,
        float(timeout) if timeout else None,
        concurrency_key or None,
        float(enqueued_at),
        float(expires_at) if expires_at else None,
        claimed_at,
    )


def _text(value: bytes | None) -> str:
    """Nothing of a job is an empty text but what it has none of."""
    return value.decode() if value else ""
