"""A chunk of jobs in a child: one call, of which each answer is said as it comes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from forge_jobs.child.serving import line
from forge_jobs.handlers.border import failed
from forge_jobs.handlers.chunks import ChunkHandler
from forge_jobs.handlers.outcomes import Outcome
from forge_jobs.runtime.running.calls import Call, Caller
from forge_jobs.runtime.running.keeping import concluded
from forge_jobs.runtime.running.run import Run
from forge_jobs.runtime.running.worker import Worker

Described = Callable[[Run, Outcome], dict[str, Any]]


class Answering(Caller):
    """Whom a call that raises has left unanswered, its worker asks again."""

    def __init__(
        self, worker: Worker, call: Call, handler: ChunkHandler[Any], *, described: Described
    ) -> None:
        super().__init__(worker, call, handler)
        self._described = described

    def answer_all(self) -> None:
        try:
            self._ask(self._call.members)
        except BaseException as error:  # of looking at how it failed
            for run in self._call.members:
                self.conclude(run, failed(error))

    def conclude(self, run: Run, outcome: Outcome) -> None:
        if run.context.has_kept:
            outcome = concluded(run, outcome)
        if run.end():
            line.tell_rest(of=run.job.id)
            line.say(of=run.job.id, answer=self._described(run, outcome))
