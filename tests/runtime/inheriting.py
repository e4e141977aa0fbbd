"""Jobs with concurrency keys that end in a process, and those behind them that it claims then."""

from typing import Any

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.models import Job, State
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.finalizer import Finalizer
from tests.rows import claim, stored_job
from tests.running import ended


def held(
    idle: Engine, keys: int = 1, *, waiting: int = 1, kind: str = "app.serve"
) -> list[ClaimedJob]:
    """Jobs that its workers have run, behind each of which others wait."""
    for number in range(keys):
        key = {"kind": kind, "concurrency_key": f"customer {number}", "concurrency_limit": 1}
        stored_job(**key, concurrency_slot=1, payload={"customer": number})
        for _ in range(waiting):
            stored_job(state=State.BLOCKED, **key, payload={"customer": number})
    claimed = claim(idle.process, kinds=[kind])
    idle.claims.add(*claimed)
    return claimed


def end(finalizer: Finalizer, jobs: list[ClaimedJob], **columns: Any) -> None:
    finalizer.finalize([ended(one, **columns) for one in jobs])


def inherited(idle: Engine) -> int:
    """How many its workers can have, of those that the table says are its."""
    waiting = len(idle.buffer)
    assert Job.objects.claimed_by(idle.process).count() == len(idle.claims) == waiting
    return waiting
