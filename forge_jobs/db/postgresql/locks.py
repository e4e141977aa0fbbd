"""Who keeps jobs from moving by a lock that is held for too long."""

from typing import Any

from forge_jobs.db.observed import HeldLock

# A row keeps the number of the transaction that locked it last; who works in that holds a lock on
# the number itself, in savepoints too. Those who lock a queue's row do not wait for each other, so
# nothing else tells of it.
HELD = """
WITH held AS (
    SELECT queue.name AS queue, lock.pid
    FROM forge_jobs_queue AS queue
    JOIN pg_locks AS lock ON lock.locktype = 'transactionid' AND lock.granted
        AND lock.transactionid = queue.xmax
    UNION
    SELECT '', blocking.pid
    FROM pg_stat_activity AS waiting
    CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocking (pid)
    WHERE waiting.datname = current_database() AND waiting.wait_event_type = 'Lock'
        AND strpos(waiting.query, 'forge_jobs_') > 0
)
SELECT
    held.queue, session.pid, session.application_name,
    coalesce(host(session.client_addr), ''), session.state,
    extract(epoch FROM clock_timestamp() - session.xact_start)::float8 AS seconds
FROM held
JOIN pg_stat_activity AS session ON session.pid = held.pid
WHERE clock_timestamp() - session.xact_start > %(seconds)s * interval '1 second'
    AND session.wait_event_type IS DISTINCT FROM 'Lock'
ORDER BY seconds DESC, held.queue DESC
LIMIT 20
"""


def held_locks(cursor: Any, *, seconds: float) -> list[HeldLock]:
    """Locks of transactions that are older than that, and that keep our statements waiting."""
    cursor.execute(HELD, {"seconds": seconds})
    return [HeldLock._make(row) for row in cursor.fetchall()]


def is_write_locked(cursor: Any, *, seconds: float) -> bool:
    """There is no lock that all writers share."""
    return False
