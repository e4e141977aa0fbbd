"""How a run ended: what becomes of its job is decided, and reported once, by whoever ran it."""

from __future__ import annotations

import time
from collections.abc import Sequence

from forge_jobs.db.rows import Transition
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.outcomes import Cancelled, Done, Failed, Outcome
from forge_jobs.handlers.secrecy import told_progress
from forge_jobs.runtime.running import run as runs
from forge_jobs.runtime.running.run import NEVER, Run
from forge_jobs.runtime.settlements import Finished, Settlements


class Ends:
    """Of runs in threads, in chunks and on the loop; those too that others have to end."""

    def __init__(self, settlements: Settlements) -> None:
        self._settlements = settlements
        self.put = settlements.put
        self.put_all = settlements.put_all
        self.broken_off = settlements.broken_off

    def report(self, run: Run, outcome: Outcome, stored: Transition | None = None) -> bool:
        """Report what a run came to, unless somebody else has; tells whether it did."""
        finished = self.finished(run, outcome, stored)
        if is_ours := run.end():
            self.put(finished)
        return is_ours

    def report_alike(self, runs: Sequence[Run], outcome: Done) -> None:
        """The same for runs of one kind and queue that all came to the same, and kept nothing."""
        now = time.monotonic()
        transitions = self._settlements.settled_alike([run.job for run in runs], outcome)
        self.put_all(
            [
                Finished(run.job, transition, outcome, now - run.began_at)
                for run, transition in zip(runs, transitions, strict=True)
                if run.end()
            ]
        )

    def finished(self, run: Run, outcome: Outcome, stored: Transition | None = None) -> Finished:
        """To be `put()` by the one who ends the run. `stored` is what the database has already."""
        seconds = time.monotonic() - run.began_at
        transition = stored or self.settled(run, outcome)
        return Finished(run.job, transition, outcome, seconds, bool(stored))

    def settled(self, run: Run, outcome: Outcome) -> Transition:
        """What becomes of the job, with the last that its handler told of its progress."""
        if (context := run.known_context) is None:
            return self._settlements.settled(run.job, outcome)
        transition = self._settlements.settled(
            run.job, outcome, has_moved=context.has_moved, place=context.place
        )
        if progress := run.untold_progress:
            return transition._replace(progress=told_progress(run.job, progress.as_json()))
        return transition

    def break_off(self, run: Run) -> bool:
        """Give a job back whose run its process ends before its time, unless it has ended."""
        if is_ours := run.end():
            self._settlements.break_off(run.job)
        return is_ours

    def broken(self, run: Run, error: BaseException, *, what: str) -> Finished:
        """Of a job that ends a thread, and its process: it has spent its attempt for that.

        Given back with its attempt, it would end one process after the other.
        """
        return self.finished(run, failed(error, saying=f"The run broke its {what}"))

    def give_up(self, run: Run, *, saying: str, stack: str) -> None:
        """Report a run that was ended because it does not react, whatever may still come of it."""
        if run.killed_at != NEVER:
            outcome: Outcome = Cancelled(run.context.cancelled.reason)
        else:
            outcome = Failed(
                f"Timed out after {run.job.timeout_seconds:g} s and did not react within "
                f"{runs.GRACE_SECONDS:g} s more; {saying}.",
                traceback=stack,
            )
        self.put(self.finished(run, outcome))
