"""A chunk of jobs in a child: one call, of which each answer is said as it comes."""

from __future__ import annotations

from forge_jobs.handlers.border import failed
from forge_jobs.runtime.running.calls import Caller


class Answering(Caller):
    """Whom a call that raises has left unanswered, its worker asks again."""

    def answer_all(self) -> None:
        try:
            self._ask(self._call.members)
        except BaseException as error:  # of looking at how it failed
            for run in self._call.members:
                self.conclude(run, failed(error))
