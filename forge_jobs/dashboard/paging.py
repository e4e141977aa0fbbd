"""A page of rows that are looked through by words, where there may be thousands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Self, TypeVar

from django.core.paginator import Paginator

R = TypeVar("R")
S = TypeVar("S")


@dataclass(frozen=True, kw_only=True)
class Paged(Generic[R]):
    """What is on the page, how many there are, and the numbers of its neighbours if it has any."""

    rows: Sequence[R]
    matched: int
    before: int | None
    after: int | None

    @classmethod
    def of(cls, rows: Sequence[R], *, size: int, page: str) -> Self:
        """A `page` that is none is the first, or the last."""
        shown = Paginator(rows, size).get_page(page)
        return cls(
            rows=list(shown),
            matched=shown.paginator.count,
            before=shown.previous_page_number() if shown.has_previous() else None,
            after=shown.next_page_number() if shown.has_next() else None,
        )

    def showing(self, rows: Sequence[S]) -> Paged[S]:
        """The same page with what is shown of its rows."""
        return Paged(rows=rows, matched=self.matched, before=self.before, after=self.after)


def sought(words: str) -> str:
    """What somebody typed to look for, as the databases can take it."""
    return words.replace("\0", "").strip()[:200]
