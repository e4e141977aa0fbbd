"""What is to be found for all queues at once: from one to the next, by index."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

# From one queue and priority to the next, over whatever lies between.
OLDEST_READY = """
WITH RECURSIVE front AS (
    (
        SELECT queue, priority, run_at
        FROM forge_jobs_job
        WHERE state = 'ready'
        ORDER BY queue, priority DESC, run_at, id
        LIMIT 1
    )
    UNION ALL
    SELECT next.queue, next.priority, next.run_at
    FROM front
    CROSS JOIN forge_jobs_job AS next
    WHERE next.id = coalesce(
        (
            SELECT id
            FROM forge_jobs_job
            WHERE state = 'ready' AND queue = front.queue AND priority < front.priority
            ORDER BY priority DESC, run_at, id
            LIMIT 1
        ),
        (
            SELECT id
            FROM forge_jobs_job
            WHERE state = 'ready' AND queue > front.queue
            ORDER BY queue, priority DESC, run_at, id
            LIMIT 1
        )
    )
)
SELECT queue, min(run_at) FROM front GROUP BY queue
"""

KINDS_IN_FRONT = """
SELECT queue.name, front.kinds
FROM jsonb_array_elements_text(%(queues)s::jsonb) AS queue (name)
CROSS JOIN LATERAL (
    SELECT jsonb_agg(DISTINCT kind) AS kinds
    FROM (
        SELECT kind
        FROM forge_jobs_job
        WHERE state = 'ready' AND queue = queue.name
        ORDER BY priority DESC, run_at, id
        LIMIT %(limit)s
    ) AS job
) AS front
"""

# Of finished jobs, from one name to the next.
FINISHED_QUEUES = """
WITH RECURSIVE found (queue) AS (
    (
        SELECT queue
        FROM forge_jobs_job
        WHERE state IN ('succeeded', 'dead', 'cancelled')
        ORDER BY queue
        LIMIT 1
    )
    UNION ALL
    SELECT (
        SELECT queue
        FROM forge_jobs_job
        WHERE state IN ('succeeded', 'dead', 'cancelled') AND queue > found.queue
        ORDER BY queue
        LIMIT 1
    )
    FROM found
    WHERE found.queue IS NOT NULL
)
SELECT queue FROM found WHERE queue IS NOT NULL
"""


def oldest_ready(cursor: Any) -> dict[str, datetime]:
    """Since when the oldest ready job of each queue has been due; of those that have one."""
    cursor.execute(OLDEST_READY)
    return dict(cursor.fetchall())


def kinds_in_front(cursor: Any, *, queues: Sequence[str], limit: int) -> dict[str, set[str]]:
    """The kinds of the first so many ready jobs of each of these queues."""
    cursor.execute(KINDS_IN_FRONT, {"queues": json.dumps(queues), "limit": limit})
    return {name: set(json.loads(kinds or "[]")) for name, kinds in cursor.fetchall()}


def finished_queues(cursor: Any) -> list[str]:
    """The queues that have finished jobs, in order."""
    cursor.execute(FINISHED_QUEUES)
    return [queue for (queue,) in cursor.fetchall()]
