"""A worker that is a process: its jobs come by a line, and what they come to goes back there."""

from __future__ import annotations

import json
import os
import signal
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, SupportsFloat

from forge_jobs import clock
from forge_jobs.child.serving import line
from forge_jobs.context import JobContext
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.outcomes import Failed, Outcome
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.verbatim import heard_transition, said
from forge_jobs.handlers.verdicts import judged
from forge_jobs.models import Process
from forge_jobs.runtime.running.failures import Failures
from forge_jobs.runtime.running.forks import disown_forks
from forge_jobs.runtime.running.handling import Handling
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.sessions import take_over, tidy


class Apprentice:
    """Runs jobs in the main thread of its process, while another listens.

    What becomes of a job, and that it begins, is decided by the worker that has sent it.
    """

    def __init__(self, kind: str) -> None:
        self._handler = registry.get(kind)
        self._current: Run | None = None
        self._jobs: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._transitions: SimpleQueue[Transition] = SimpleQueue()

    def serve(self) -> None:
        """Until nothing more is said."""
        disown_forks([signal.SIGTERM, signal.SIGINT])
        Thread(target=self._listen, name="forge_jobs-listener", daemon=True).start()
        line.say(ready=True)
        if not (request := self._jobs.get()):
            return
        process = Process(pk=request["process"], name=request["process_name"])
        take_over(process.name)
        handling = ChildsHandling(
            process,
            refused=lambda run: None,
            failures=Failures(stopping=Event()),
            settled=self._settled,
        )
        while request:
            self._do(ClaimedJob(*request["job"]), handling, process_name=process.name)
            request = self._jobs.get()

    def _settled(self, run: Run, outcome: Outcome) -> Transition:
        """Ask what becomes of the job, to store that with what it wrote."""
        line.tell_rest()
        line.say(settle=said(self._judged(run, outcome)))
        return self._transitions.get()

    def _do(self, job: ClaimedJob, handling: Handling, *, process_name: str) -> None:
        line.begin(job.id)
        self._current = run = Run(job, process_name=process_name)
        run.context = TellingContext(job, process_name=process_name)
        outcome, stored = handling.outcome_of(run)
        self._current = None
        try:
            answer = said(self._judged(run, outcome))
        except BaseException as error:  # of a result that is not JSON
            answer = said(failed(error))
        line.end({**answer, "stored": str(stored.state) if stored else ""})
        tidy()

    def _judged(self, run: Run, outcome: Outcome) -> Outcome:
        """By the exception itself, which does not leave this process."""
        if not isinstance(outcome, Failed):
            return outcome
        error = vars(outcome).pop("error", None)
        return judged(outcome, error, handler=self._handler, job=run.job, now=clock.now())

    def _listen(self) -> None:
        for text in line.inbox:
            match json.loads(text):
                case {"cancel": reason}:
                    if run := self._current:
                        run.context.cancelled.set(reason)
                case {"transition": transition}:
                    self._transitions.put(heard_transition(transition))
                case job:
                    self._jobs.put(job)
        if self._current:  # nobody is there to whom it could answer
            os._exit(1)
        self._jobs.put(None)


class ChildsHandling(Handling):
    run_apart = Handling.run_here


class TellingContext(JobContext):
    """Tells of progress at once."""

    def progress(
        self, done: SupportsFloat, total: SupportsFloat | None = None, message: str = ""
    ) -> None:
        super().progress(done, total, message)
        if self.told_progress:
            line.tell_progress(self.told_progress._asdict())
