"""What became of a row: a new job, or one that had its key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal, NamedTuple

from forge_jobs.db.rows import InsertedRow, NewRow

KEY_RACES: Final = 10
"""How often to look again who has a key, whose holders come and go."""


class Stored(NamedTuple):
    """The job of a row; `inserted` is None for one that is to be read from the database."""

    row: NewRow
    id: int
    inserted: InsertedRow | None
    became: Literal["new", "keep", "replace", "postpone"] = "new"
    """What happened to the job that had the row's key, if any."""


def pair(rows: Sequence[NewRow], inserted: Sequence[InsertedRow]) -> list[Stored | None]:
    """Tell which rows were inserted: both are in the same order, and only keyed rows may lack."""
    if len(inserted) == len(rows):
        return [Stored(row, new.id, new) for row, new in zip(rows, inserted, strict=True)]
    pairs: list[Stored | None] = []
    following = iter(inserted)
    candidate = next(following, None)
    for row in rows:
        if candidate and candidate.keys == row.keys:
            pairs.append(Stored(row, candidate.id, candidate))
            candidate = next(following, None)
        else:
            pairs.append(None)
    return pairs
