"""A worker that is a process: its jobs come by a line, and what they come to goes back there."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Sequence
from contextvars import copy_context
from queue import SimpleQueue
from threading import Event, Thread
from typing import Any, Final

from forge_jobs import clock
from forge_jobs.child.answering import Answering
from forge_jobs.child.serving import line
from forge_jobs.child.telling import TellingStore, let_tell
from forge_jobs.db.rows import ClaimedJob, Transition
from forge_jobs.handlers import middleware
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.chunks import NOTHING, ChunkHandler
from forge_jobs.handlers.outcomes import Failed, Outcome
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.verbatim import heard_transition, said
from forge_jobs.handlers.verdicts import judged
from forge_jobs.models import Process
from forge_jobs.runtime.running.calls import Call
from forge_jobs.runtime.running.forks import disown_forks
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.running.worker import Worker
from forge_jobs.runtime.sessions import take_over
from forge_jobs.runtime.thread import EngineThread

CALL_IS_OVER: Final = said(NOTHING)


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
        self._cancelled: dict[int, str] = {}
        """Which of those that came last are to stop, and why."""
        self._jobs: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._transitions: SimpleQueue[Transition] = SimpleQueue()

    def serve(self) -> None:
        """Until nothing more is said."""
        disown_forks([signal.SIGTERM, signal.SIGINT])
        Thread(target=self._listen, name="forge_jobs-listener", daemon=True).start()
        line.say_ready()
        while request := self._jobs.get():
            self._serve_process(request["process"], request["process_name"])
            self._do([ClaimedJob(*job) for job in request["jobs"]])
            self.tidy()

    def _serve_process(self, pk: int, name: str) -> None:
        if not hasattr(self, "_process"):
            take_over(name)
        elif self._process.pk == pk:
            return
        self._process = Process(pk=pk, name=name)
        self._store = TellingStore(self._process, stopping=self.claiming_stops)

    def begins(self, run: Run) -> bool:
        return True

    def settled(self, run: Run, outcome: Outcome) -> Transition:
        """Ask what becomes of the job, to store that with what it wrote."""
        line.tell_rest(of=run.job.id)
        line.say(settle=said(self._judged(run, outcome)))
        return self._transitions.get()

    def _do(self, jobs: Sequence[ClaimedJob]) -> None:
        line.begin(*[job.id for job in jobs])
        name = self._process.name
        if isinstance(self._handler, ChunkHandler):
            call = Call(jobs, process_name=name, store=self._store)
            self._begin(call)
            answering = Answering(self, call, self._handler, described=self._described)
            copy_context().run(answering.answer_all)
            answer = CALL_IS_OVER
        else:
            run = Run(jobs[0], process_name=name, store=self._store)
            self._begin(run)
            outcome, stored = self.outcome_of(run)
            answer = self._described(run, outcome)
            answer["stored"] = str(stored.state) if stored else ""
        self.current = None
        line.end(answer)

    def _begin(self, run: Run) -> None:
        for one in {run, *run.members}:
            let_tell(one, process=self._process, store=self._store)
        self.current = run
        self._tell_to_stop()

    def _tell_to_stop(self) -> None:
        for run in self.current.members if self.current else ():
            if reason := self._cancelled.get(run.job.id):
                run.context.cancelled.set(reason)

    def _described(self, run: Run, outcome: Outcome) -> dict[str, Any]:
        try:
            return said(self._judged(run, outcome))
        except BaseException as error:  # of a result that is not JSON
            return said(failed(error))

    def _judged(self, run: Run, outcome: Outcome) -> Outcome:
        """By the exception itself, which does not leave this process."""
        if not isinstance(outcome, Failed):
            return outcome
        error = vars(outcome).pop("error", None)
        return judged(outcome, error, handler=self._handler, job=run.job, now=clock.now())

    def _listen(self) -> None:
        for text in line.inbox:
            match json.loads(text):
                case {"cancel": reason, "id": job_id}:
                    self._cancelled[job_id] = reason
                    self._tell_to_stop()
                case {"stopping": True}:
                    self.claiming_stops.set()
                case {"transition": transition}:
                    self._transitions.put(heard_transition(transition))
                case jobs:
                    self._cancelled = {}
                    self._jobs.put(jobs)
        if self.current:  # nobody is there to whom it could answer
            os._exit(1)
        self._jobs.put(None)
