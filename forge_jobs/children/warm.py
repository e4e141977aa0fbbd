"""A child that lives for many jobs: it speaks in lines, and proves that it can before the first."""

from __future__ import annotations

import json
import os
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from forge_jobs.children.child import Child
from forge_jobs.children.lines import Lines, LineTooLong, LogLines
from forge_jobs.durations import spelled
from forge_jobs.exceptions import ChildUnfit
from forge_jobs.states import ChildEnd

TICK_SECONDS: Final = 0.1
EXIT_SECONDS: Final = 0.5
"""How long one that has closed its stdout may take to end, to be told how it did."""

MOMENT_SECONDS: Final = 0.001
"""For so long after an answer one that names its jobs is taken to be as it was: a look costs as
much as a job's own words, and can't see what happens right after it either."""

LAST_WORDS: Final = 3
REMEMBERED_JOBS: Final = 100


class Fault(NamedTuple):
    """Why a child is not to be used again; the words go on from its name."""

    reason: ChildEnd
    words: str


class WarmChild(Child):
    """One that has a `fault` is not to be used again; the first that is found with it stays."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        cwd: str | os.PathLike[str] | None,
        longest_line: int,
    ) -> None:
        super().__init__(argv, environment=environment, cwd=cwd)
        self._lines, self._logs = Lines(longest=longest_line), LogLines()
        self.jobs_done = 0
        self.job_id: int | None = None
        self.rests_since = float("-inf")
        self.names_jobs = False
        """Whether it would be seen that an answer is not to the job that it has."""
        self.earlier_jobs: deque[int] = deque(maxlen=REMEMBERED_JOBS)
        self.memory_looked_at = time.monotonic()
        self.fault: Fault | None = None

    def hear(self, seconds: float) -> tuple[list[bytes], list[str]]:
        """The lines of its stdout and its stderr that end now; raises `LineTooLong`."""
        said, told = self.receive(seconds)
        logs = self._logs.take(told) if told else []
        if self.is_closed:
            logs += self._logs.end()
        lines = self._lines.take(said) if said else []
        return lines, [line.decode(errors="replace") for line in logs] if logs else []

    @property
    def is_at_rest(self) -> bool:
        """Whether both sides have said and read whole lines."""
        return self.has_read_all and not self._lines.is_within_a_line and not self.is_deaf

    def is_fit(self) -> bool:
        """Whether it is there and waits for a job, and says nothing that nobody has asked for."""
        if self.names_jobs and time.monotonic() < self.rests_since + MOMENT_SECONDS:
            return True
        if self.has_ended():
            with suppress(LineTooLong):
                self.blame(ChildEnd.ENDED, self._last_words(self.hear(0)[1]))
            self.blame(ChildEnd.ENDED, f"it {self.ending}")
        elif self.has_spoken() and (self.jobs_done or self.is_mute):
            self.blame(ChildEnd.GARBAGE, "it spoke without being asked")
        return not self.fault

    def blame(self, reason: ChildEnd, words: str) -> None:
        self.fault = self.fault or Fault(reason, words)

    def prove(self, *, within: float, says_ready: bool, heed: Callable[[], None]) -> list[str]:
        """Wait until it says that it is ready, or has lived so long; returns what it told.

        Raises `ChildUnfit`, with its last words, and what `heed()` does.
        """
        told: list[str] = []
        deadline = time.monotonic() + within
        while (left := deadline - time.monotonic()) > 0:
            heed()
            lines, logs = self._heard(min(TICK_SECONDS, left))
            told += logs
            if self.is_mute:
                raise ChildUnfit(self._last_words(told + self._heard(0)[1]))
            for line in lines if says_ready else ():
                if is_ready(line):
                    return told
                raise ChildUnfit(f'it said {line[:200]!r} instead of {{"ready": true}}')
        if says_ready:
            raise ChildUnfit(f'it did not say {{"ready": true}} within {spelled(within)}')
        return told

    def how_it_ended(self) -> str:
        """Of one that is mute."""
        if self.has_ended(within=EXIT_SECONDS):
            return self.ending
        return "closed its stdout"

    def _heard(self, seconds: float) -> tuple[list[bytes], list[str]]:
        try:
            return self.hear(seconds)
        except LineTooLong:
            raise ChildUnfit("it said more than a line may have") from None

    def _last_words(self, told: list[str]) -> str:
        words = "".join(f"; {line.strip()}" for line in told[-LAST_WORDS:])
        return f"it {self.how_it_ended()}{words}"


def is_ready(line: bytes) -> bool:
    """Whether a child says that it is."""
    try:
        said = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(said, dict) and said.get("ready") is True
