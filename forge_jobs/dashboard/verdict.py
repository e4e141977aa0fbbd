"""Whether somebody should be woken: the sentences of `jobs health`, for the top of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from forge_jobs.models import Process
from forge_jobs.operations.status import symptoms, unserved


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`ailments` are what `jobs health` says; `notes`, what may come to that if it lasts.

    A page takes no locks: of SQLite's write lock, `jobs health` alone can tell.
    """

    ailments: Sequence[str]
    notes: Sequence[str]

    @classmethod
    def read(cls, *, now: datetime) -> Self:
        nobody_serves = unserved(now=now)
        ailments = symptoms(now=now, nobody_serves=nobody_serves)
        notes = [
            *map(str, nobody_serves),
            *(
                f"{process.name}: {process.trouble}"
                for process in Process.objects.live(now=now)
                if process.trouble
            ),
        ]
        return cls(
            ailments=ailments,
            notes=[note for note in notes if not any(note in ailment for ailment in ailments)],
        )
