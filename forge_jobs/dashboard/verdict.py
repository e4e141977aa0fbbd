"""Whether somebody should be woken: the sentences of `jobs health`, for the top of a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Self

from django.utils.translation import gettext as _

from forge_jobs.operations.ailments import Care

MOST: Final = 20
"""So many sentences somebody reads."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """`ailments` are what `jobs health` says; `notes`, what may come to that if it lasts.

    A page takes no locks: of SQLite's write lock, `jobs health` alone can tell.
    """

    ailments: Sequence[str]
    notes: Sequence[str]

    @classmethod
    def read(cls, *, now: datetime) -> Self:
        return cls.of(Care.read(now=now))

    @classmethod
    def of(cls, care: Care) -> Self:
        ailments = care.ailments()
        notes = [
            *map(str, care.unserved),
            *(f"{process.name}: {process.trouble}" for process in care.live if process.trouble),
        ]
        new = [note for note in notes if not any(note in ailment for ailment in ailments)]
        return cls(ailments=bounded(ailments), notes=bounded(new))


def bounded(sentences: Sequence[str]) -> list[str]:
    """As many as somebody reads, and how many there are besides."""
    more = len(sentences) - MOST
    if more <= 0:
        return list(sentences)
    return [*sentences[:MOST], _("… and %(more)s more.") % {"more": more}]
