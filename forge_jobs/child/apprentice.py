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
from forge_jobs.db.rows import ClaimedJob, StepRow, Transition
from forge_jobs.handlers import middleware
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.outcomes import Failed, Outcome
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.verbatim import heard_transition, said
from forge_jobs.handlers.verdicts import judged
from forge_jobs.models import Process
from forge_jobs.runtime.running.forks import disown_forks
from forge_jobs.runtime.running.keeping import Claimed
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.running.worker import Worker
from forge_jobs.runtime.sessions import take_over
from forge_jobs.runtime.thread import EngineThread
from forge_jobs.states import Role


class Apprentice(Worker):
    """Runs jobs in the main thread of its process, while another listens.

    What becomes of a job, and that it begins, is decided by the worker that has sent it.
    """

    run_apart = Worker.run_here

    def __init__(self, kind: str) -> None:
        EngineThread.__init__(self, f"apprentice-{kind}", fail=lambda reason: None)
        self.current: Run | None = None
        self._handler = registry.get(kind)
        self.layers = middleware.installed()
        self._loop = None
        self.doors = {}  # the worker has seen to them
        self.claiming_stops = Event()
        self._jobs: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._transitions: SimpleQueue[Transition] = SimpleQueue()

    def serve(self) -> None:
        """Until nothing more is said."""
        disown_forks([signal.SIGTERM, signal.SIGINT])
        Thread(target=self._listen, name="forge_jobs-listener", daemon=True).start()
        line.say(ready=True)
        while request := self._jobs.get():
            if not hasattr(self, "_process"):
                take_over(request["process_name"])
            self._process = Process(pk=request["process"], name=request["process_name"])
            self._do(ClaimedJob(*request["job"]))

    def begins(self, run: Run) -> bool:
        return True

    def settled(self, run: Run, outcome: Outcome) -> Transition:
        """Ask what becomes of the job, to store that with what it wrote."""
        line.tell_rest()
        line.say(settle=said(self._judged(run, outcome)))
        return self._transitions.get()

    def _do(self, job: ClaimedJob) -> None:
        line.begin(job.id)
        name, store = self._process.name, Telling(self._process, stopping=self.claiming_stops)
        self.current = run = Run(job, process_name=name, store=store)
        run.context = TellingContext(job, process_name=name, store=store)
        outcome, stored = self.outcome_of(run)
        self.current = None
        try:
            answer = said(self._judged(run, outcome))
        except BaseException as error:  # of a result that is not JSON
            answer = said(failed(error))
        line.end({**answer, "stored": str(stored.state) if stored else ""})
        self.tidy()

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
                    if run := self.current:
                        run.context.cancelled.set(reason)
                case {"stopping": True}:
                    self.claiming_stops.set()
                case {"transition": transition}:
                    self._transitions.put(heard_transition(transition))
                case job:
                    self._jobs.put(job)
        if self.current:  # nobody is there to whom it could answer
            os._exit(1)
        self._jobs.put(None)


class Telling(Claimed):
    """Tells at once that a walk came further: its run may not live to say so in the end."""

    def write(self, job: ClaimedJob, row: StepRow) -> None:
        super().write(job, row)
        if row.role == Role.CURSOR and not json.loads(row.value)["is_over"]:
            line.say(moved=True)


class TellingContext(JobContext):
    """Tells of progress at once."""

    def progress(
        self, done: SupportsFloat, total: SupportsFloat | None = None, message: str = ""
    ) -> None:
        super().progress(done, total, message)
        if self.told_progress:
            line.tell_progress(self.told_progress._asdict())
