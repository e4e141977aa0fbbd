"""Token buckets: each change is one statement, on the row as it is once it is locked.

What has flowed in since `refilled_at` is added whenever the row is looked at. A moment that lies
ahead of the present by more than five seconds is that of a clock that was set back since; it is
put right even where there is nothing to grant, or nobody would be granted anything until then.
"""

from datetime import datetime
from typing import Any

from forge_jobs.db.rows import BudgetLevel

TAKE = """
WITH bucket AS MATERIALIZED (
    SELECT
        id, moment.now,
        least(
            capacity,
            tokens + refill_per_second * greatest(
                0, extract(epoch FROM moment.now - refilled_at)
            )::float8
        ) AS level
    FROM forge_jobs_ratelimitbudget
    CROSS JOIN (SELECT coalesce(%(now)s::timestamptz, statement_timestamp()) AS now) AS moment
    WHERE name = %(name)s AND (drained_until IS NULL OR drained_until <= moment.now)
    FOR UPDATE OF forge_jobs_ratelimitbudget
), grants AS (
    SELECT
        id, now, level,
        CASE
            WHEN level + 1e-6 < %(at_least)s THEN 0
            ELSE least(%(at_most)s, greatest(%(at_least)s, floor(level + 1e-6)))
        END AS tokens
    FROM bucket
)
UPDATE forge_jobs_ratelimitbudget AS budget
SET last_grant = grants.tokens,
    tokens = greatest(0, grants.level - grants.tokens),
    refilled_at = CASE
        WHEN budget.refilled_at > grants.now + interval '5 seconds' THEN grants.now
        ELSE greatest(budget.refilled_at, grants.now)
    END
FROM grants
WHERE budget.id = grants.id
    AND (grants.tokens > 0 OR budget.refilled_at > grants.now + interval '5 seconds')
RETURNING budget.last_grant
"""

GIVE_BACK = """
UPDATE forge_jobs_ratelimitbudget SET tokens = least(capacity, tokens + %(tokens)s)
WHERE name = %(name)s
"""

DRAIN = """
UPDATE forge_jobs_ratelimitbudget
SET tokens = 0,
    refilled_at = greatest(
        refilled_at,
        coalesce(%(now)s::timestamptz, statement_timestamp()) + %(seconds)s * interval '1 second'
    ),
    drained_until = greatest(
        drained_until,
        coalesce(%(now)s::timestamptz, statement_timestamp()) + %(seconds)s * interval '1 second'
    )
WHERE name = %(name)s
"""

LEVELS = """
SELECT
    name, capacity, refill_per_second,
    least(
        capacity,
        tokens + refill_per_second * greatest(
            0, extract(epoch FROM moment.now - refilled_at)
        )::float8
    ),
    greatest(0, coalesce(extract(epoch FROM drained_until - moment.now), 0))::float8
FROM forge_jobs_ratelimitbudget
CROSS JOIN (SELECT coalesce(%(now)s::timestamptz, statement_timestamp()) AS now) AS moment
WHERE name = coalesce(%(name)s, name)
"""


def take_tokens(
    cursor: Any, *, name: str, at_least: float, at_most: float, now: datetime | None
) -> float:
    """Take as many whole tokens as there are within bounds; 0 if there are too few."""
    cursor.execute(TAKE, {"name": name, "at_least": at_least, "at_most": at_most, "now": now})
    row = cursor.fetchone()
    return row[0] if row else 0.0


def return_tokens(cursor: Any, *, name: str, tokens: float) -> None:
    """Put tokens back, up to the capacity."""
    cursor.execute(GIVE_BACK, {"name": name, "tokens": tokens})


def drain_tokens(cursor: Any, *, name: str, seconds: float, now: datetime | None) -> None:
    """Empty a bucket, and let nothing flow in for a while."""
    cursor.execute(DRAIN, {"name": name, "seconds": seconds, "now": now})


def token_levels(cursor: Any, *, name: str | None, now: datetime | None) -> dict[str, BudgetLevel]:
    """What is in a bucket, if there is one of that name; without a name, in each of them."""
    cursor.execute(LEVELS, {"name": name, "now": now})
    return {name: BudgetLevel._make(level) for name, *level in cursor.fetchall()}
