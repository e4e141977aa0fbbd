"""One run of a program: what is given to it and taken from it, and what it comes to."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from forge_jobs.children.child import Child
from forge_jobs.children.warm import TICK_SECONDS
from forge_jobs.handlers.outcomes import Done, Failed, Outcome

if TYPE_CHECKING:
    from forge_jobs.context import JobContext

STDOUT_BYTES: Final = 8_192
STDERR_BYTES: Final = 1_500
LAST_READS: Final = 3
"""More than what is left in the pipes of a program that has ended, if nobody else writes there."""


class Tail:
    """The last of a stream."""

    def __init__(self, longest: int) -> None:
        self._longest = longest
        self._data = b""
        self._is_cut = False

    def add(self, data: bytes) -> None:
        self._data += data
        self._is_cut = self._is_cut or len(self._data) > self._longest
        self._data = self._data[-self._longest :]

    def __str__(self) -> str:
        text = self._data.decode(errors="replace").replace("\0", "\N{SYMBOL FOR NULL}")
        return f"… {text}" if self._is_cut else text


class Execution:
    """Ends with an outcome, or by raising `Cancelled`; the program may still run then."""

    def __init__(self, ctx: JobContext, child: Child, *, stdin: str, timeout: float | None) -> None:
        self._ctx = ctx
        self._child = child
        self._stdin = stdin
        self._timeout = timeout
        self._stdout, self._stderr = Tail(STDOUT_BYTES), Tail(STDERR_BYTES)

    def follow(self) -> Outcome:
        child, due_at = self._child, time.monotonic() + (self._timeout or float("inf"))
        child.send(self._stdin.encode(errors="replace"))
        while not self._has_ended():
            if child.has_read_all:
                child.finish_input()
            self._take(TICK_SECONDS)
            self._ctx.cancelled.raise_if_set()
            if time.monotonic() >= due_at:
                return self._failed(f"timed out after {self._timeout:g} s")
        for _ in range(LAST_READS):
            self._take(0)
        if child.has_succeeded:
            return Done(str(self._stdout))
        return self._failed(child.ending.replace("ended with exit code", "exit"))

    def _has_ended(self) -> bool:
        """What it has started may still hold its pipes."""
        return self._child.has_ended(within=TICK_SECONDS if self._child.is_silent else 0)

    def _take(self, seconds: float) -> None:
        if not self._child.is_silent:
            said, told = self._child.receive(seconds)
            self._stdout.add(said)
            self._stderr.add(told)

    def _failed(self, how: str) -> Failed:
        tail = str(self._stderr).strip()
        return Failed(f"{how}: {tail}" if tail else how)
