"""What a run in a child tells its worker while it goes on."""

from __future__ import annotations

import json
from typing import SupportsFloat

from forge_jobs.child.serving import line
from forge_jobs.context import JobContext
from forge_jobs.db.rows import ClaimedJob, StepRow
from forge_jobs.runtime.running.keeping import Claimed
from forge_jobs.runtime.running.run import Run
from forge_jobs.states import Role


def let_tell(run: Run) -> None:
    """Give a run a context that tells of what it is told."""
    context = run.context
    run.context = TellingContext(run.job, process_name=context.process_name, store=context.store)


class TellingContext(JobContext):
    """Tells of progress at once."""

    def progress(
        self, done: SupportsFloat, total: SupportsFloat | None = None, message: str = ""
    ) -> None:
        super().progress(done, total, message)
        if self.told_progress:
            line.tell_progress(self.told_progress._asdict(), of=self.job_id)


class TellingStore(Claimed):
    """Tells at once that a walk came further: its run may not live to say so in the end."""

    def write(self, job: ClaimedJob, row: StepRow) -> None:
        super().write(job, row)
        if row.role == Role.CURSOR and not json.loads(row.value)["is_over"]:
            line.say(of=job.id, moved=True)
