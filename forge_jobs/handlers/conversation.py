"""One job with one child: the request, all that is said while it runs, and what it comes to."""

from __future__ import annotations

import json
import time
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

from forge_jobs.children.lines import LineTooLong
from forge_jobs.children.program import LONGEST_LINE, Program
from forge_jobs.children.warm import TICK_SECONDS, Fault, WarmChild
from forge_jobs.exceptions import JobTimedOut
from forge_jobs.handlers.answers import Garbage, Log, Ready, Step, Stray, parsed, understood
from forge_jobs.handlers.outcomes import Failed, Interrupted, Outcome
from forge_jobs.states import ChildEnd

if TYPE_CHECKING:
    from forge_jobs.context import JobContext

LONGEST_NAME: Final = 180
"""Of a process, so that there is room for the child's number beside it."""

_encode: Final = json.JSONEncoder(separators=(",", ":")).encode


class Conversation:
    """Ends with an outcome, or as `heed()` says: a child that still works then has a fault."""

    size = 1
    """How many jobs it is about."""

    def __init__(self, ctx: JobContext, payload: dict[str, Any], *, program: Program) -> None:
        self._ctx = ctx
        self._payload = payload
        self._program = program
        self._has_ended = False
        self._due_at = float("inf")

    @property
    def limit(self) -> float | None:
        """After how many seconds its time is up, which begins when a child has the job."""
        return self._ctx.job.timeout_seconds

    def heed_alone(self) -> None:
        """Raises `Cancelled` when the job is to stop, `JobTimedOut` when its time is up."""
        self._ctx.cancelled.raise_if_set()
        if time.monotonic() >= self._due_at:
            raise JobTimedOut

    def hold(self, child: WarmChild) -> Outcome:
        """Raises as `heed()`."""
        ctx = self._ctx
        child.job_id = ctx.job_id
        ctx.place = f"{ctx.process_name[:LONGEST_NAME]}, child {child.pid}"
        child.send(self.request())
        if limit := self.limit:
            self._due_at = time.monotonic() + limit
        while True:
            try:
                lines, logs = child.hear(TICK_SECONDS)
            except LineTooLong:
                what = f"said a line of more than {LONGEST_LINE:,} bytes"
                return self._broken_off(child, Fault(ChildEnd.GARBAGE, what))
            for text in logs:
                self._ctx.logger.info("%s", text)
            if lines and (outcome := self._answer(child, lines)):
                return outcome
            if trouble := self._trouble(child, lines):
                return self._broken_off(child, trouble)
            self.heed(child)

    def heed(self, child: WarmChild) -> None:
        """While it works: ends it by raising."""
        self.heed_alone()

    def understand(self, child: WarmChild, line: bytes) -> Outcome | Step | Log | Ready:
        """Raises `Garbage`."""
        said = parsed(line)
        child.names_jobs = "id" in said
        return understood(said, job_id=self._ctx.job_id)

    def request(self) -> bytes:
        ctx = self._ctx
        request = {
            "id": ctx.job_id,
            "payload": self._payload,
            "attempt": ctx.attempt,
            "max_attempts": ctx.max_attempts,
            "kind": ctx.kind,
            "queue": ctx.queue,
        }
        return f"{_encode(request)}\n".encode()

    def _answer(self, child: WarmChild, lines: list[bytes]) -> Outcome | None:
        """The outcome if one of the lines is that; one that goes on after it has a fault."""
        for place, line in enumerate(lines, start=1):
            try:
                outcome = self._taken(self.understand(child, line))
            except Garbage as error:
                failure = self._broken_off(child, Fault(ChildEnd.GARBAGE, f"said a line {error}"))
                if isinstance(error, Stray) and error.job_id in child.earlier_jobs:
                    return Interrupted(failure.message, delay=timedelta(0))
                return failure
            if outcome:
                child.jobs_done += self.size
                child.earlier_jobs.append(self._ctx.job_id)
                if place < len(lines) or not child.is_at_rest:
                    child.blame(ChildEnd.GARBAGE, "it went on after its answer")
                return outcome
        return None

    def _taken(self, said: Outcome | Step | Log | Ready) -> Outcome | None:
        match said:
            case Step(done, total, message):
                try:
                    self._ctx.progress(done, total, message)
                except (TypeError, ValueError) as error:
                    why = str(error).removesuffix(".")
                    raise Garbage(f"whose progress can't be taken: {why}") from None
            case Log(level, text):
                self._ctx.logger.log(level, "%s", text)
            case Outcome():
                return said
        return None

    def _trouble(self, child: WarmChild, lines: list[bytes]) -> Fault | None:
        """What keeps it from answering, if something does."""
        if child.is_mute or (self._has_ended and not lines):
            return Fault(ChildEnd.ENDED, f"{child.how_it_ended()} before it had answered")
        if child.is_deaf:
            return Fault(ChildEnd.ENDED, "closed its stdin before it had answered")
        if not lines:  # what it has started may hold its pipes; and its last words may be in them
            self._has_ended = child.has_ended()
        return self._program.uses_too_much(child)

    def _broken_off(self, child: WarmChild, fault: Fault) -> Failed:
        what = fault.words.removeprefix("it ")
        child.blame(fault.reason, f"it {what}")
        return Failed(f"The child {what}.")
