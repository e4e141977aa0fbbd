"""Many jobs of all kinds, a fault in their midst, and what must hold after it."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Final

import psutil

from tests.faults.at_size.enqueue import EACH_SECONDS, FEW
from tests.faults.at_size.ledger import Ledger
from tests.faults.at_size.verdict import Verdict
from tests.faults.elsewhere import LONG, Elsewhere
from tests.running import PATIENCE, ROOT, Runjobs, eventually

JOBS: Final = int(os.environ.get("FORGE_JOBS_FAULTS_JOBS", "5000"))
SEED: Final = int(os.environ.get("FORGE_JOBS_FAULTS_SEED", "0")) or random.randrange(1, 10**6)
PROCESS_TIMEOUT: Final = float(os.environ.get("FORGE_JOBS_TEST_PROCESS_TIMEOUT", "30"))

AFTERWARDS: Final = PROCESS_TIMEOUT + 15.0
"""Seconds after the end of a fault in which work must have been taken up again."""

TO_THE_END: Final = 120.0 + JOBS / 20
PROCESSES: Final = ("--processes", "2", "--threads", "4")
SECONDS: Final = max(0.02, 8 * 8.0 / JOBS)
"""What a job takes: even few are worth some seconds."""

PROBES: Final = 8
FIRST_PROBE: Final = 10**9

UNFINISHED: Final = (
    "state IN ('ready', 'blocked', 'running', 'retrying') "
    "OR state = 'scheduled' AND kind <> 'at_size.delayed'"
)


class Trial:
    """A third of the jobs is there before the fault, a third comes during it, a third after."""

    def __init__(self, name: str, project: Elsewhere, ledger: Ledger) -> None:
        self.name = name
        self.project = project
        self.ledger = ledger
        self.chance = random.Random(f"{SEED} {name}")
        self._began = time.monotonic()
        self._clocks = time.time() - self._began
        self._enqueued = 0
        self._probed = FIRST_PROBE

    def enqueue(self) -> None:
        """Store the next third of the jobs, by a process of its own."""
        self.project.python(*self._next_third(pause=0), patience=TO_THE_END)

    @contextmanager
    def enqueuing(self, *, seconds: float, within: Sequence[str], url: str) -> Iterator[None]:
        """The same, from a host that the fault meets, too, and over so many seconds."""
        command = [*within, sys.executable, *self._next_third(pause=seconds)]
        environment = {**os.environ, **self.project.environment}
        environment["FORGE_JOBS_TEST_DATABASE_URL"] = url
        process = subprocess.Popen(command, cwd=ROOT, env=environment)
        try:
            yield
            process.wait(seconds + AFTERWARDS)
        finally:
            process.kill()
            process.wait(PATIENCE)

    def until_busy(self) -> None:
        """Wait until a part of what is there has begun: how large a part is up to the seed."""
        share = self.chance.uniform(0.05, 0.2)
        eventually(lambda: len(self.ledger.entries("begun")) > share * JOBS, patience=LONG)
        self._began = time.monotonic()

    def resumes(self, *, queue: str = "far") -> None:
        """As of now there is no fault any more: new jobs of a queue run in time."""
        now = time.monotonic()
        first, self._probed = self._probed, self._probed + PROBES
        self.project.python(*_enqueue("probe", first, self._probed, queue=queue))
        eventually(lambda: len(self._begun(first)) == PROBES, patience=AFTERWARDS)
        # Not as of now: that a program starts takes long where much else goes on.
        offered = [entry.at for entry in self.ledger.entries("offered") if entry.number >= first]
        took = max(self._begun(first)) - min(offered)
        self.say(f"a fault of {now - self._began:.1f} s, and new jobs {took:.1f} s after it")
        assert took <= AFTERWARDS

    def ends(self, *started: Runjobs) -> None:
        """All jobs come to their right end, the schedule has gone on, and the processes stop."""
        eventually(lambda: self.project.count(UNFINISHED) == 0, patience=TO_THE_END)
        self.beats_go_on()
        for runjobs in started:
            runjobs.terminate()
        for runjobs in started:
            assert runjobs.wait()[0] == 0, runjobs.output
        verdict = Verdict.on(self.project, self.ledger)
        self.say(str(verdict))
        assert not verdict.faults, "\n".join(verdict.faults[:20])
        assert self.project.ask("SELECT count(*) FROM forge_jobs_process") == [(0,)]
        assert not [pid for pid in self.ledger.pids() if psutil.pid_exists(pid)]

    def say(self, what: str) -> None:
        """Print it for those who run the suite by hand."""
        sys.stdout.write(f"{self.name}, seed {SEED}: {what}\n")

    def _next_third(self, *, pause: float) -> list[str]:
        begin = self._enqueued
        self._enqueued = end = min(JOBS, begin + -(-JOBS // 3))
        return _enqueue("mixed", begin, end, pause=pause / ((end - begin) / FEW))

    def _begun(self, first: int) -> list[float]:
        """When each of the probes from this number on began."""
        begun = self.ledger.entries("begun")
        return list({entry.number: entry.at for entry in begun if entry.number >= first}.values())

    def beats_go_on(self) -> None:
        """The schedule makes one job for each moment that comes, and none before it has come."""
        now = time.monotonic() + self._clocks
        eventually(lambda: max(self._due(), default=0) >= now, patience=AFTERWARDS)
        early = [e for e in self.ledger.entries("due") if e.number > e.at + self._clocks + 1]
        gaps = {later - earlier for earlier, later in pairwise(self._due())}
        assert not early, f"{len(early)} jobs of a schedule came before their time: {early[:5]}"
        assert gaps == {EACH_SECONDS}, f"Between moments of the schedule there are {gaps} s."

    def _due(self) -> list[int]:
        return sorted({entry.number for entry in self.ledger.entries("due")})


def _enqueue(what: str, begin: int, end: int, *, pause: float = 0.0, queue: str = "") -> list[str]:
    words = [what, SEED, begin, end, SECONDS, pause, queue]
    return ["-m", "tests.faults.at_size.enqueue", *map(str, words)]
