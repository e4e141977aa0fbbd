"""Token buckets: each change is one statement.

What has flowed in since `refilled_at` is added whenever the row is looked at. A moment that lies
ahead of the present by more than five seconds is that of a clock that was set back since; it is
put right even where there is nothing to grant, or nobody would be granted anything until then.
Moments are compared by the millisecond: "%s" are seconds, "%f" less "%S" is what is beyond them.
"""

from datetime import UTC, datetime
from typing import Any

from forge_jobs.db.rows import BudgetLevel

TAKE = """
UPDATE forge_jobs_ratelimitbudget
SET last_grant = grants.tokens,
    tokens = max(0, grants.level - grants.tokens),
    refilled_at = CASE
        WHEN grants.elapsed < -5 THEN grants.now
        ELSE max(refilled_at, grants.now)
    END
FROM (
    SELECT
        id, now, level, elapsed,
        CASE
            WHEN level + 1e-6 < %(at_least)s THEN 0.0
            ELSE min(%(at_most)s, max(%(at_least)s, CAST(level + 1e-6 AS INTEGER)))
        END AS tokens
    FROM (
        SELECT
            id, now, elapsed,
            min(capacity, tokens + refill_per_second * max(0, elapsed)) AS level
        FROM (
            SELECT
                id, moment.now, capacity, tokens, refill_per_second,
                strftime('%%s', moment.now) - strftime('%%s', refilled_at)
                + strftime('%%f', moment.now) - strftime('%%S', moment.now)
                - strftime('%%f', refilled_at) + strftime('%%S', refilled_at) AS elapsed
            FROM forge_jobs_ratelimitbudget
            CROSS JOIN (
                SELECT coalesce(%(now)s, strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')) AS now
            ) AS moment
            WHERE name = %(name)s AND (drained_until IS NULL OR drained_until <= moment.now)
        ) AS flow
    ) AS bucket
) AS grants
WHERE forge_jobs_ratelimitbudget.id = grants.id AND (grants.tokens > 0 OR grants.elapsed < -5)
RETURNING last_grant
"""

GIVE_BACK = """
UPDATE forge_jobs_ratelimitbudget SET tokens = min(capacity, tokens + %(tokens)s)
WHERE name = %(name)s
"""

DRAIN = """
UPDATE forge_jobs_ratelimitbudget
SET tokens = 0,
    refilled_at = max(
        refilled_at,
        strftime(
            '%%Y-%%m-%%d %%H:%%M:%%f', coalesce(%(now)s, 'now'), %(seconds)s || ' seconds'
        )
    ),
    drained_until = max(
        coalesce(drained_until, ''),
        strftime(
            '%%Y-%%m-%%d %%H:%%M:%%f', coalesce(%(now)s, 'now'), %(seconds)s || ' seconds'
        )
    )
WHERE name = %(name)s
"""

LEVELS = """
SELECT
    name, capacity, refill_per_second,
    min(
        capacity,
        tokens + refill_per_second * max(
            0,
                strftime('%%s', moment.now) - strftime('%%s', refilled_at)
                + strftime('%%f', moment.now) - strftime('%%S', moment.now)
                - strftime('%%f', refilled_at) + strftime('%%S', refilled_at)
        )
    ),
    max(0, coalesce((julianday(drained_until) - julianday(moment.now)) * 86400.0, 0))
FROM forge_jobs_ratelimitbudget
CROSS JOIN (
    SELECT coalesce(%(now)s, strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')) AS now
) AS moment
WHERE name = coalesce(%(name)s, name)
"""


def take_tokens(
    cursor: Any, *, name: str, at_least: float, at_most: float, now: datetime | None
) -> float:
    """Take as many whole tokens as there are within bounds; 0 if there are too few."""
    values = {"name": name, "at_least": at_least, "at_most": at_most, "now": _as_text(now)}
    cursor.execute(TAKE, values)
    row = cursor.fetchone()
    return float(row[0]) if row else 0.0


def return_tokens(cursor: Any, *, name: str, tokens: float) -> None:
    """Put tokens back, up to the capacity."""
    cursor.execute(GIVE_BACK, {"name": name, "tokens": tokens})


def drain_tokens(cursor: Any, *, name: str, seconds: float, now: datetime | None) -> None:
    """Empty a bucket, and let nothing flow in for a while."""
    cursor.execute(DRAIN, {"name": name, "seconds": seconds, "now": _as_text(now)})


def token_levels(cursor: Any, *, name: str | None, now: datetime | None) -> dict[str, BudgetLevel]:
    """What is in a bucket, if there is one of that name; without a name, in each of them."""
    cursor.execute(LEVELS, {"name": name, "now": _as_text(now)})
    return {name: BudgetLevel._make(level) for name, *level in cursor.fetchall()}


def _as_text(now: datetime | None) -> str | None:
    """As SQLite writes moments itself, which are compared as texts: with their fractions."""
    return f"{now.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}" if now else None
