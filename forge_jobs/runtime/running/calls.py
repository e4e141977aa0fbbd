"""One call of a handler with a chunk of jobs, and what becomes of each of them."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from typing import Any

from forge_jobs.context import JobContext
from forge_jobs.db.rows import Transition
from forge_jobs.handlers import middleware
from forge_jobs.handlers.border import own
from forge_jobs.handlers.chunks import NOTHING, ChunkHandler, Item
from forge_jobs.handlers.outcomes import Cancelled, Dead, Done, Failed, Outcome, Released
from forge_jobs.handlers.secrecy import without
from forge_jobs.runtime.running import forks, transactions
from forge_jobs.runtime.running.failures import Failures
from forge_jobs.runtime.running.keeping import concluded
from forge_jobs.runtime.running.members import Call
from forge_jobs.runtime.running.run import NEVER, End, Run

logger = logging.getLogger("forge_jobs.jobs")


class MembersItem(Item[Any]):
    """Reads its payload, and has a context, when its handler asks for that."""

    def __init__(self, run: Run, conclude: Callable[[Run, Outcome], None]) -> None:
        self._run = run
        self._conclude = conclude

    @cached_property
    def payload(self) -> Any:
        return json.loads(self._run.job.payload)

    @cached_property
    def ctx(self) -> JobContext:  # type: ignore[override] # can be written as well
        return self._run.context

    def _settle(self, outcome: Outcome) -> None:
        self._conclude(self._run, outcome)


class Caller:
    """Calls a handler until each of the jobs has its outcome.

    A call that raises is made again with each half of those that it has left unanswered, so that
    one bad job is found, and its neighbours spend nothing for it. Only of one that was alone the
    error is told: it may quote any of those that the call was for.
    """

    def __init__(
        self,
        call: Call,
        handler: ChunkHandler[Any],
        *,
        refused: Callable[[Run], End | None],
        failures: Failures,
        report: Callable[[Run, Outcome, Transition | None], object],
        report_alike: Callable[[Sequence[Run], Done], object],
    ) -> None:
        self._call = call
        self._handler = handler
        self._refused = refused
        self._failures = failures
        self._report = report
        self._report_alike = report_alike
        self._layers = middleware.installed()

    def answer_all(self) -> None:
        groups = [[run for run in self._call.members if self._begins(run)]]
        while groups:
            group = [run for run in groups.pop() if self._is_to_be_asked(run)]
            if group:
                groups += self._ask(group)

    def conclude(self, run: Run, outcome: Outcome) -> None:
        """Settle one of the jobs, unless somebody else has."""
        if (context := run.known_context) and context.has_kept:
            outcome = concluded(run, outcome)
        if isinstance(outcome, Failed | Dead | Cancelled):  # its words may be of any of them
            outcome = without(outcome, self._call.secrets)
        self._report(run, run.heeding(outcome), None)

    def _begins(self, run: Run) -> bool:
        run.began_at = time.monotonic()
        if refused := self._refused(run):
            self._report(run, *refused)
        return not refused

    def _is_to_be_asked(self, run: Run) -> bool:
        if run.has_ended:
            return False
        if run.killed_at != NEVER:
            self.conclude(run, Cancelled(run.context.cancelled.reason))
        elif self._failures.stopping.is_set() and self._call.has_been_asked:
            self.conclude(run, Released())
        return not run.has_ended

    def _ask(self, group: Sequence[Run]) -> list[list[Run]]:
        """Call the handler; returns those who are to be asked again."""
        items = [MembersItem(run, self.conclude) for run in group]
        self._call.ask(group)
        if self._layers:
            group[0].context.together = [run.job for run in group]
        try:
            outcome = self._called(partial(self._handler.call, items), first=group[0])
        except Outcome as raised:
            outcome = raised
        except BaseException as error:
            return self._after(error, group)
        self._conclude_all(group, outcome)
        return []

    def _conclude_all(self, group: Sequence[Run], outcome: Outcome) -> None:
        """Settle those without an answer, and together those of which nobody asked anything."""
        left = [run for run in group if not run.has_ended]
        if outcome is NOTHING and (untouched := [run for run in left if not run.known_context]):
            self._report_alike(untouched, NOTHING)
            left = [run for run in left if run.known_context]
        for run in left:
            self.conclude(run, outcome if outcome is NOTHING else own(outcome))

    def _called(self, handle: Callable[[], object], *, first: Run) -> Outcome:
        transactions.begin()
        with self._call:
            try:
                layers = self._layers
                returned = layers.run(first.context, handle) if layers else handle()
            finally:
                forks.leave()
        transactions.check()
        return returned if isinstance(returned, Outcome) else NOTHING

    def _after(self, error: BaseException, group: Sequence[Run]) -> list[list[Run]]:
        """What those come to that a call has left unanswered which raised."""
        call, failures = self._call, self._failures
        left = [run for run in group if not run.has_ended]
        killed = [run for run in left if run.killed_at != NEVER]
        if killed or call.has_timed_out:
            failures.drop_sessions()
        if killed:
            for run in left:
                reason = run.context.cancelled.reason
                self.conclude(run, Cancelled(reason) if run in killed else Released())
            return []
        if not left:
            told = f"raised {type(error).__name__} after its answers"
            logger.warning("%s with %d jobs %s", self._handler.kind, len(group), told)
            return []
        if len(group) == 1:
            left[0].has_timed_out = call.has_timed_out
            self.conclude(left[0], self._failure(left[0], error))
            return []
        if excused := failures.excuse(left[0], error):
            for run in left:
                self.conclude(run, own(excused))
            return []
        middle = len(left) // 2
        return [left[middle:], left[:middle]]  # the last is the next

    def _failure(self, run: Run, error: BaseException) -> Outcome:
        return self._failures.outcome(run, error)
