"""What ran in a test, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, overload

from forge_jobs.handlers.outcomes import Dead, Failed, Outcome
from forge_jobs.states import State


@dataclass(frozen=True)
class Ran:
    """One attempt of a job: what its handler came to, and the `state` in which that left the job.

    The state is None of a job that nobody wants kept.
    """

    job_id: int
    kind: str
    queue: str
    payload: dict[str, Any]
    attempt: int
    outcome: Outcome
    state: State | None


class Drained(Sequence[Ran]):
    """What ran, in the order in which it did."""

    def __init__(self, runs: Iterable[Ran] = ()) -> None:
        self._runs = list(runs)

    def __repr__(self) -> str:
        told = [f"{one.kind} #{one.job_id}: {one.outcome!r}" for one in self._runs]
        return f"<Drained {told}>"

    def __len__(self) -> int:
        return len(self._runs)

    @overload
    def __getitem__(self, place: int) -> Ran: ...

    @overload
    def __getitem__(self, place: slice) -> list[Ran]: ...

    def __getitem__(self, place: int | slice) -> Ran | list[Ran]:
        return self._runs[place]

    @property
    def kinds(self) -> list[str]:
        return [one.kind for one in self._runs]

    @property
    def failures(self) -> list[Ran]:
        """Attempts that ended with an error."""
        return [one for one in self._runs if isinstance(one.outcome, Failed | Dead)]
