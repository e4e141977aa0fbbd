"""What became of each job, and whether each of its runs has a reason."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from tests.faults.at_size.ledger import Ledger
from tests.faults.elsewhere import Elsewhere

JOBS: Final = """
SELECT job.kind, job.payload, job.state, job.errors, (
    SELECT count(*) FROM forge_jobs_jobevent AS told
    WHERE told.job_id = job.id AND told.event = 'released'
)
FROM forge_jobs_job AS job
WHERE job.kind LIKE 'at_size.%' AND job.kind <> 'at_size.beat'
"""

EFFECTS: Final = "SELECT number, count(*) FROM app_effect GROUP BY number"

ENDS: Final = {"failing": "dead", "delayed": "scheduled"}
"""Where a kind's jobs are to end; those of the others succeed."""

ONLY_ATTEMPT: Final = ("asking", "exactly_once")

AS_IT_SHOULD: Final = "as it should"
"""What jobs say that fail on purpose."""


@dataclass(frozen=True, kw_only=True)
class Fate:
    """Of one job: `begun` and `cut` are by the ledger, all else is what the tables say."""

    number: int
    kind: str
    state: str
    errors: tuple[str, ...]
    released: int
    begun: int
    cut: int
    effects: int

    @property
    def cut_short(self) -> int:
        """How many runs came to no end of their own."""
        return max(0, self.begun - self._own - (self.state == "succeeded"))

    @property
    def lost(self) -> int:
        """Of these, how many ended with the process that they were in."""
        return min(self.cut_short, self._lost)

    @property
    def robbed(self) -> int:
        """How many the database took itself away from, as the job or its handler noticed."""
        noticed = max(self.cut, self.released, len(self.errors) - self._own - self._lost)
        return min(self.cut_short - self.lost, noticed)

    @property
    def unexplained(self) -> int:
        """How many have no reason that anybody knows of."""
        return self.cut_short - self.lost - self.robbed

    @property
    def died_with_its_process(self) -> bool:
        """Whether its only attempt was spent so."""
        return self.state == "dead" and self.kind in ONLY_ATTEMPT and self._lost > 0

    @property
    def died_of_the_database(self) -> bool:
        """Whether it is dead for no reason of its own, nor of its process."""
        return self.state == "dead" and self.kind != "failing" and not self._lost

    @property
    def _own(self) -> int:
        return sum(AS_IT_SHOULD in error for error in self.errors)

    @property
    def _lost(self) -> int:
        return sum(error.startswith(("Process ", "A process ")) for error in self.errors)

    def faults(self) -> Iterator[str]:
        """What is wrong, in a few words each."""
        if self.state != ENDS.get(self.kind, "succeeded") and not self.died_with_its_process:
            yield f"{self.kind} ended {self.state}"
        if self.kind == "delayed" and self.begun:
            yield "ran before its time"
        # A process may be killed after it told that a run begins, and before it began.
        if self.state in ("succeeded", "dead") and not self.begun and not self._lost:
            yield "never ran"
        if self.unexplained:
            yield "ran without a reason"
        if self.kind == "exactly_once" and self.effects != (self.state == "succeeded"):
            yield f"left its effect {self.effects} times"


@dataclass(frozen=True)
class Verdict:
    """`faults` are those of jobs, and one for each number without a job, or with several."""

    fates: list[Fate]
    faults: list[str]

    @classmethod
    def on(cls, project: Elsewhere, ledger: Ledger) -> "Verdict":
        fates = list(_fates(project, ledger))
        jobs = Counter(fate.number for fate in fates)
        accepted = {entry.number for entry in ledger.entries("accepted")}
        offered = {entry.number for entry in ledger.entries("offered")}
        faults = [f"#{number}: accepted, and lost" for number in accepted - jobs.keys()]
        faults += [f"#{number}: never offered" for number in jobs.keys() - offered]
        faults += [f"#{number}: {count} jobs" for number, count in jobs.items() if count > 1]
        faults += [f"#{fate.number}: {fault} {fate}" for fate in fates for fault in fate.faults()]
        return cls(fates, faults)

    def __str__(self) -> str:
        wrong = len({fault.partition(":")[0] for fault in self.faults})
        dead = sum(fate.died_of_the_database for fate in self.fates)
        lost = sum(fate.lost for fate in self.fates)
        robbed = sum(fate.robbed for fate in self.fates)
        unexplained = sum(fate.unexplained for fate in self.fates)
        return (
            f"{len(self.fates) - wrong:,} of {len(self.fates):,} jobs at their right end, "
            f"{dead} dead of the database; runs that were cut short: "
            f"{lost} with their process, {robbed} by the database, {unexplained} without a reason"
        )


def _fates(project: Elsewhere, ledger: Ledger) -> Iterator[Fate]:
    begun = Counter(entry.number for entry in ledger.entries("begun"))
    cut = Counter(entry.number for entry in ledger.entries("cut"))
    effects = dict(project.ask(EFFECTS))
    for kind, payload, state, errors, released in project.ask(JOBS):
        number = _loaded(payload)["number"]
        yield Fate(
            number=number,
            kind=kind.rpartition(".")[2],
            state=state,
            errors=tuple(error["message"] for error in _loaded(errors)),
            released=released,
            begun=begun[number],
            cut=cut[number],
            effects=effects.get(number, 0),
        )


def _loaded(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value
