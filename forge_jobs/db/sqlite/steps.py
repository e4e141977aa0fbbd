"""What a run writes while it has its claim: its steps, and that it is complete."""

from typing import Any

from forge_jobs.db.rows import StepRow
from forge_jobs.db.sqlite.jobs import NOW

STORE_STEP = f"""
INSERT INTO forge_jobs_jobstep (job_id, name, role, value, at, claimed_at)
SELECT id, %(name)s, %(role)s, %(value)s, {NOW}, started_at
FROM forge_jobs_job
WHERE id = %(job)s AND process_id = %(process)s AND started_at = %(claimed_at)s
ON CONFLICT (job_id, name) DO UPDATE
SET role = excluded.role, value = excluded.value, at = excluded.at,
    claimed_at = excluded.claimed_at
"""

COMPLETE = f"""
UPDATE forge_jobs_job
SET finished_at = max({NOW}, started_at), result = %(result)s
WHERE id = %(job)s AND process_id = %(process)s AND started_at = %(claimed_at)s
"""


def store_step(cursor: Any, *, process: int, job: int, claimed_at: str, row: StepRow) -> bool:
    """Store a step, or store it anew; False if the claim was lost."""
    claim = {"job": job, "process": process, "claimed_at": claimed_at}
    cursor.execute(STORE_STEP, row._asdict() | claim)
    return bool(cursor.rowcount)


def complete(cursor: Any, *, process: int, job: int, claimed_at: str, result: str | None) -> bool:
    """Let a running job be a success from the commit on; False if the claim was lost.

    `result` is a JSON text. The job goes on running, and keeps its concurrency slot, until it is
    settled, and whatever it is settled as then, it has succeeded.
    """
    claim = {"job": job, "process": process, "claimed_at": claimed_at}
    cursor.execute(COMPLETE, {"result": result} | claim)
    return bool(cursor.rowcount)
