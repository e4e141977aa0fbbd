"""What the children of a pool run, how one is started, and when it has done enough."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import Any, Final

from forge_jobs.children.warm import Fault, WarmChild
from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import ChildUnfit, InvalidHandler
from forge_jobs.signals import pool_child_told
from forge_jobs.states import ChildEnd
from forge_jobs.wording import quoted

LONGEST_LINE: Final = 8 * 1024 * 1024
PROOF_SECONDS: Final = 0.2
"""How long a child that does not say when it is ready must live to be taken for it."""

MEMORY_SECONDS: Final = 0.5
"""How often its memory is looked at, which takes as long as several short jobs."""


@dataclass(frozen=True, kw_only=True)
class Program:
    """`max_memory` is in bytes. If it is to say that it is `ready`, it has so long for that.

    Raises `InvalidHandler`, which names the field.
    """

    name: str
    argv: Sequence[str | os.PathLike[str]]
    env: Mapping[str, str] = field(default_factory=dict)
    cwd: str | os.PathLike[str] | None = None
    ready: bool = False
    startup_timeout: timedelta | float = 30.0
    max_jobs: int | None = None
    max_memory: int | None = None

    def __post_init__(self) -> None:
        for one in fields(self):
            if one.name in RULES:
                allows, words = RULES[one.name]
                if not allows(given := getattr(self, one.name)):
                    self._refuse(one.name, f"must be {words}, not {quoted(given)}")
        try:
            is_none = not as_timedelta(self.startup_timeout, field="startup_timeout")
        except ValueError:
            is_none = True
        if is_none:
            given = quoted(self.startup_timeout)
            self._refuse("startup_timeout", f"must be a timedelta or seconds, not {given}")

    def started(self) -> WarmChild:
        """A child that has proved nothing yet; raises `ChildUnfit`."""
        try:
            return WarmChild(
                [os.fspath(one) for one in self.argv],
                environment={**os.environ, **self.env},
                cwd=self.cwd,
                longest_line=LONGEST_LINE,
            )
        except OSError as error:
            raise self._unfit(error) from error

    def prove(self, child: WarmChild, *, since: float, heed: Callable[[], None]) -> None:
        """Wait until a child has proved that it can; raises `ChildUnfit`, or as `heed()` does."""
        patience = as_timedelta(self.startup_timeout, field="startup_timeout").total_seconds()
        within = since + (patience if self.ready else PROOF_SECONDS) - time.monotonic()
        try:
            told = child.prove(within=within, says_ready=self.ready, heed=heed)
        except ChildUnfit as error:
            raise self._unfit(error) from None
        for line in told:
            pool_child_told.send_robust(Program, name=self.name, pid=child.pid, line=line)

    def has_done_enough(self, child: WarmChild) -> Fault | None:
        """Why a child should make way for a fresh one, if it should."""
        if self.max_jobs is not None and child.jobs_done >= self.max_jobs:
            return Fault(ChildEnd.JOBS, f"it has run {child.jobs_done:,} jobs")
        return self.uses_too_much(child)

    def uses_too_much(self, child: WarmChild) -> Fault | None:
        """The same by its memory alone."""
        if self.max_memory is None or time.monotonic() < child.memory_looked_at + MEMORY_SECONDS:
            return None
        child.memory_looked_at = time.monotonic()
        if (memory := child.memory()) <= self.max_memory:
            return None
        used, limit = memory / 2**20, self.max_memory / 2**20
        words = f"it uses {used:,.0f} MiB of memory, more than {limit:,.0f} MiB"
        return Fault(ChildEnd.MEMORY, words)

    def _unfit(self, why: object) -> ChildUnfit:
        return ChildUnfit(f"No child of {self.name} can be started: {why}.")

    def _refuse(self, option: str, why: str) -> None:
        raise InvalidHandler(f"{option} of {self.name} {why}.", field=option)


def is_text(given: object) -> bool:
    """Whether it is one that a program can be given."""
    return isinstance(given, str) and "\0" not in given


def are_texts(given: object) -> bool:
    """Whether they are the arguments of a program that has a name."""
    return isinstance(given, list | tuple) and all(map(is_text, given)) and bool(given and given[0])


def are_arguments(given: object) -> bool:
    if isinstance(given, str | bytes) or not isinstance(given, Sequence) or not given:
        return False
    return all(map(_is_argument, given)) and bool(os.fspath(given[0]))


def _is_argument(given: object) -> bool:
    return is_text(given) or isinstance(given, os.PathLike)


def is_environment(given: object) -> bool:
    return isinstance(given, Mapping) and all(
        is_text(name) and name and "=" not in name and is_text(value)
        for name, value in given.items()
    )


def _is_limit(given: Any) -> bool:
    return given is None or (type(given) is int and given >= 1)


RULES: Final[dict[str, tuple[Callable[[Any], bool], str]]] = {
    "argv": (are_arguments, "a list of texts, the program first"),
    "env": (is_environment, "a dictionary of texts"),
    "cwd": (lambda given: given is None or _is_argument(given), "a folder"),
    "ready": (lambda given: isinstance(given, bool), "True or False"),
    "max_jobs": (_is_limit, "1 or more, or None for no limit"),
    "max_memory": (_is_limit, "a number of bytes, or None for no limit"),
}
