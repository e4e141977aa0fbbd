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
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.chunks import NOTHING, ChunkHandler
from forge_jobs.handlers.outcomes import Failed, Outcome
from forge_jobs.handlers.registry import registry
from forge_jobs.handlers.verbatim import heard_transition, said
from forge_jobs.handlers.verdicts import judged
from forge_jobs.models import Process
from forge_jobs.runtime.running.failures import Failures
from forge_jobs.runtime.running.forks import disown_forks
from forge_jobs.runtime.running.handling import Handling
from forge_jobs.runtime.running.members import Call
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.sessions import take_over, tidy

CALL_IS_OVER: Final = said(NOTHING)


class Apprentice:
    """Runs jobs in the main thread of its process, while another listens.

    What becomes of a job, and that it begins, is decided by the worker that has sent it.
    """

    def __init__(self, kind: str) -> None:
        self._handler = registry.get(kind)
        self._failures = Failures(stopping=Event())
        self._current: Run | None = None
        self._cancelled: dict[int, str] = {}
        """Which of those that came last are to stop, and why."""
        self._jobs: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._transitions: SimpleQueue[Transition] = SimpleQueue()

    def serve(self) -> None:
        """Until nothing more is said."""
        disown_forks([signal.SIGTERM, signal.SIGINT])
        Thread(target=self._listen, name="forge_jobs-listener", daemon=True).start()
        line.say_ready()
        if not (request := self._jobs.get()):
            return
        process = Process(pk=request["process"], name=request["process_name"])
        take_over(process.name)
        store = TellingStore(process, stopping=self._failures.stopping)
        handling = ChildsHandling(
            process, refused=_refuse_none, failures=self._failures, settled=self._settled
        )
        while request:
            jobs = [ClaimedJob(*job) for job in request["jobs"]]
            line.begin(*[job.id for job in jobs])
            if isinstance(self._handler, ChunkHandler):
                call = Call(jobs, process_name=process.name, store=store)
                answer = self._call(call, self._handler)
            else:
                run = Run(jobs[0], process_name=process.name, store=store)
                answer = self._run(run, handling)
            self._current = None
            line.end(answer)
            tidy()
            request = self._jobs.get()

    def _run(self, run: Run, handling: Handling) -> dict[str, Any]:
        self._begin(run)
        outcome, stored = handling.outcome_of(run)
        return {**self._described(run, outcome), "stored": str(stored.state) if stored else ""}

    def _call(self, call: Call, handler: ChunkHandler[Any]) -> dict[str, Any]:
        self._begin(call)
        answering = Answering(
            call,
            handler,
            refused=_refuse_none,
            failures=self._failures,
            report=self._answer,
            report_alike=self._answer_alike,
        )
        copy_context().run(answering.answer_all)
        return CALL_IS_OVER

    def _begin(self, run: Run) -> None:
        for one in run.members:
            let_tell(one)
        self._current = run
        self._tell_to_stop()

    def _tell_to_stop(self) -> None:
        for run in self._current.members if self._current else ():
            if reason := self._cancelled.get(run.job.id):
                run.context.cancelled.set(reason)

    def _settled(self, run: Run, outcome: Outcome) -> Transition:
        """Ask what becomes of the job, to store that with what it wrote."""
        line.tell_rest(of=run.job.id)
        line.say(settle=said(self._judged(run, outcome)))
        return self._transitions.get()

    def _answer(self, run: Run, outcome: Outcome, stored: Transition | None) -> None:
        if run.end():
            line.tell_rest(of=run.job.id)
            line.say(of=run.job.id, answer=self._described(run, outcome))

    def _answer_alike(self, runs: Sequence[Run], outcome: Outcome) -> None:
        for run in runs:
            self._answer(run, outcome, None)

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
                    self._failures.stopping.set()
                case {"transition": transition}:
                    self._transitions.put(heard_transition(transition))
                case jobs:
                    self._cancelled = {}
                    self._jobs.put(jobs)
        if self._current:  # nobody is there to whom it could answer
            os._exit(1)
        self._jobs.put(None)


class ChildsHandling(Handling):
    run_apart = Handling.run_here


def _refuse_none(run: Run) -> None:
    """The worker has seen to that."""
