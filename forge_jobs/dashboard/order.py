"""Walks an index from one place to the next, in either direction, without counting over rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from django.db.models import BooleanField, Case, ExpressionWrapper, F, Q, Value, When

from forge_jobs.models.job_queryset import JobQuerySet

Place = tuple[Any, ...]
"""Where a job stands in an order: the values of its columns, the job's id last."""


class Step(NamedTuple):
    """One job on the way, and whether it is one of those that are sought.

    Or the last one of several that were passed over, because of their kind.
    """

    place: Place
    fits: bool
    passed: int = 1


FIRST_FETCH: Final = 101
FETCH: Final = 1_000
SKIMMED: Final = 5_000
"""How many jobs are asked for their kind at once."""
LATEST: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Order:
    """The columns that an index sorts by, the id last; a `-` is before those that go down."""

    columns: tuple[str, ...]

    @property
    def names(self) -> list[str]:
        return [column.removeprefix("-") for column in self.columns]

    def walk(
        self,
        jobs: JobQuerySet,
        *,
        within: Q,
        fits: Q | None = None,
        of_kind: Q | None = None,
        start: Place | None = None,
        is_backward: bool = False,
        first: int = FIRST_FETCH,
    ) -> Iterator[Step]:
        """Past the jobs that come after `start`, or backward, past those before it.

        `within` bounds the first column. Of a fixed one it would only lead SQLite astray.
        """
        sought = ExpressionWrapper(fits or Value(True), BooleanField())
        jobs = jobs.annotate(fits=sought).order_by(*self._signed(is_backward))
        ahead = [within] if start is None else self._ahead_of(start, within, is_backward)
        size = first
        while ahead:
            rows = jobs.filter(ahead[0])
            steps, last = self._next(rows, size) if of_kind is None else self._skim(rows, of_kind)
            yield from steps
            if last is None:
                ahead = ahead[1:]
            else:
                ahead, size = self._ahead_of(last, within, is_backward), FETCH

    def _next(self, rows: Any, size: int) -> tuple[Iterable[Step], Place | None]:
        """So many steps, and the last one's place, if there may be more."""
        steps = [Step(row[:-1], row[-1]) for row in rows.values_list(*self.names, "fits")[:size]]
        return steps, steps[-1].place if len(steps) == size else None

    def _skim(self, rows: Any, of_kind: Q) -> tuple[Iterable[Step], Place | None]:
        """The same past those of other kinds: of so many, nothing but that is fetched."""
        number = Case(When(of_kind, then=F("pk")))
        numbers = list(rows.values_list(number, flat=True)[:SKIMMED])
        found = [number for number in numbers if number is not None]
        last = rows.values_list(*self.names)[SKIMMED - 1 : SKIMMED].first()
        return self._found(rows, found, others=len(numbers) - len(found), last=last), last

    def _found(
        self, rows: Any, found: Sequence[int], *, others: int, last: Place | None
    ) -> Iterator[Step]:
        for some in filter(None, (found[:FIRST_FETCH], found[FIRST_FETCH:])):
            yield from self._next(rows.filter(pk__in=some), len(some))[0]
        if last is not None:
            yield Step(last, False, others)

    def written(self, place: Place) -> str:
        """A place as an address can carry it."""
        return ",".join(
            value.isoformat() if isinstance(value, datetime) else str(value) for value in place
        )

    def read(self, written: str) -> Place:
        """The reverse of `written()`; raises `ValueError` or `OverflowError`."""
        words = written.rsplit(",", len(self.columns) - 1)
        return tuple(_value(name, word) for name, word in zip(self.names, words, strict=True))

    def ahead_of(self, place: Place, is_backward: bool) -> list[Q]:
        """Ranges of the index, the nearest first: each is one that a database goes to directly."""
        ranges = []
        for length in reversed(range(len(self.names))):
            same = Q(*zip(self.names[:length], place, strict=False))
            name = self.names[length]
            way = "lt" if self._falls(name, is_backward) else "gt"
            ranges.append(same & Q((f"{name}__{way}", place[length])))
        return ranges

    def _ahead_of(self, place: Place, within: Q, is_backward: bool) -> list[Q]:
        *tied, beyond = self.ahead_of(place, is_backward)
        return [*tied, beyond & within]

    def _signed(self, is_backward: bool) -> list[str]:
        return [f"{'-' * self._falls(name, is_backward)}{name}" for name in self.names]

    def _falls(self, name: str, is_backward: bool) -> bool:
        return (f"-{name}" in self.columns) != is_backward


def _value(name: str, word: str) -> Any:
    if name.endswith("_at"):
        moment = datetime.fromisoformat(word)
        if moment.tzinfo is None:
            raise ValueError(f"{word} has no time zone.")
        return moment.astimezone(UTC)
    if name.endswith("_key") or name in ("queue", "state"):
        if "\0" in word:
            raise ValueError("No name has a NUL in it.")
        return word
    number = int(word)
    if abs(number) >= 2**63:
        raise ValueError(f"{word} is too large.")
    return number
