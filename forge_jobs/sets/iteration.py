"""Walks a queryset by primary key, over several runs: each goes on where the last one stopped."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import timedelta
from typing import Any, Final, Generic, TypeVar

from asgiref.sync import sync_to_async
from django.core.exceptions import ValidationError
from django.db.models import Manager, Model, QuerySet
from django.db.models.query import ModelIterable

from forge_jobs import clock
from forge_jobs.exceptions import InvalidStep
from forge_jobs.handlers.outcomes import Cancelled
from forge_jobs.sets.steps import Steps
from forge_jobs.states import Role
from forge_jobs.wording import quoted

M = TypeVar("M", bound=Model)

EVERY_SECOND: Final = timedelta(seconds=1)
READ_AT_ONCE: Final = 200


class Walk(Generic[M]):
    """A cursor on its way: how far the rows are done, and how far that is stored.

    `asked` gives the outcome of a run that is to stop, None as long as it is not.
    """

    def __init__(
        self,
        rows: QuerySet[M],
        *,
        steps: Steps,
        name: str | None,
        every: timedelta | int,
        asked: Callable[[], Cancelled | None],
    ) -> None:
        _refuse_unwalkable(rows)
        self._every = _checked(every)
        self._key: Any = rows.model._meta.pk
        self._rows = rows.order_by("pk")
        self._steps = steps
        self._asked = asked
        self._name = name or rows.model._meta.label_lower
        self._place: str | None = None
        self._stored_place: str | None = None
        self._visited = self._stored_visited = 0
        self._stored_at = clock.now()
        self._is_over = False
        self.has_moved = False

    def __iter__(self) -> Iterator[M]:
        self.begin()
        while rows := self._following():
            for row in rows:
                place = self._place_of(row)
                yield row
                if self._is_to_be_saved(place):
                    self.save()
                    self._stop_if_asked()
        self._end()

    async def __aiter__(self) -> AsyncIterator[M]:
        await sync_to_async(self.begin)()
        while rows := await sync_to_async(self._following)():
            for row in rows:
                place = self._place_of(row)
                yield row
                if self._is_to_be_saved(place):
                    await sync_to_async(self.save)()
                    self._stop_if_asked()
        await sync_to_async(self._end)()

    def begin(self) -> None:
        """Go to where a run before this one has stopped."""
        if row := self._steps.begin(self._name, Role.CURSOR):
            stored = json.loads(row.value)
            self._place = self._stored_place = stored["after"]
            self._visited = self._stored_visited = stored["visited"]
            self._is_over = stored["is_over"]
        self._steps.walks.append(self)

    def save(self) -> None:
        """Store how far the rows are done, if that is further than what is stored."""
        if self._place == self._stored_place:
            return
        self._store()
        self.has_moved = True

    def _end(self) -> None:
        if not self._is_over:
            self._is_over = True
            self._store()

    def _store(self) -> None:
        cursor = {"after": self._place, "visited": self._visited, "is_over": self._is_over}
        self._steps.save(self._name, Role.CURSOR, cursor)
        self._stored_place, self._stored_visited = self._place, self._visited
        self._stored_at = clock.now()

    def _following(self) -> list[M]:
        if self._is_over:
            return []
        if self._place is None:
            return list(self._rows[:READ_AT_ONCE])
        return list(self._rows.filter(pk__gt=self._key_at(self._place))[:READ_AT_ONCE])

    def _is_to_be_saved(self, place: str) -> bool:
        """Put down that a row is done; tells whether it is time to store that, or to stop."""
        self._place = place
        self._visited += 1
        if self._asked():
            return True
        if isinstance(self._every, int):
            return self._visited - self._stored_visited >= self._every
        return clock.now() - self._stored_at >= self._every

    def _stop_if_asked(self) -> None:
        if outcome := self._asked():
            raise outcome

    def _place_of(self, row: M) -> str:
        """As a text, before a handler may change the row."""
        return str(self._key.value_to_string(row))

    def _key_at(self, place: str) -> Any:
        try:
            return self._key.to_python(place)
        except (ValidationError, ValueError) as error:
            raise InvalidStep(
                f"The iteration {quoted(self._name)} stopped after {quoted(place)}, which is no "
                f"key of {self._rows.model._meta.label}: give it another name.",
                field="name",
            ) from error


def _checked(every: object) -> timedelta | int:
    is_rows = type(every) is int and every >= 1
    if is_rows or (isinstance(every, timedelta) and every >= timedelta(0)):
        return every  # type: ignore[return-value] # it is one of the two
    raise InvalidStep(
        f"every must be a number of rows, 1 or more, or a timedelta, not {quoted(every)}.",
        field="every",
    )


def _refuse_unwalkable(rows: object) -> None:
    """Raise `InvalidStep` for what has no order by primary key to go on in."""
    if not isinstance(rows, QuerySet):
        all_of = ": write .all()" if isinstance(rows, Manager) else ""
        raise InvalidStep(
            f"iterate() takes a queryset, not {quoted(rows)}{all_of}.", field="queryset"
        )
    query: Any = rows.query
    names = {"pk", rows.model._meta.pk.name, rows.model._meta.pk.attname}
    if query.is_sliced:
        why = "is sliced, and would be another slice each time: filter it"
    elif query.combinator:
        why = f"is a {query.combinator}, which can't be filtered: walk its parts, one by one"
    elif not issubclass(rows._iterable_class, ModelIterable):
        why = "gives no objects: leave out values(); only() reads fewer columns, too"
    elif (query.extra_order_by or query.order_by) and not {*query.order_by} <= names:
        why = "has an order, and is walked by primary key: leave out order_by()"
    elif query.distinct_fields:
        why = "is distinct by some fields: filter it"
    elif query.select_for_update:
        why = (
            "locks its rows, for which there is no transaction: lock each row where it is worked on"
        )
    else:
        return
    raise InvalidStep(f"iterate() can't walk this queryset: it {why}.", field="queryset")
