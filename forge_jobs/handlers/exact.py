"""Arguments as exactly the types that msgspec knows: it takes no heirs of most of them.

Such as members of enumerations of numbers, the texts that Django's templates come to, and moments
of pendulum's, or of freezegun's in tests.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from enum import Enum
from typing import Any

from forge_jobs.handlers.losses import attributes_of


def exactly(given: Any) -> Any:
    """The same with numbers for members, and plain moments, in lists, sets and dictionaries too."""
    match given:
        case Enum(value=int(number)):
            return number
        case datetime() | date():
            return moment(given)
        case dict():
            return {exactly(name): exactly(value) for name, value in given.items()}
        case tuple():
            return tuple(map(exactly, given))
        case list() | set() | frozenset():
            return list(map(exactly, given))
    return given


def moment(given: Any) -> Any:
    """A date or datetime as Python's own, whose name may stand for another while a test runs."""
    own = next(kind for kind in type(given).__mro__ if kind.__module__ == "datetime")
    if own is type(given):
        return given
    day = (given.year, given.month, given.day)
    if not isinstance(given, datetime):
        return own(*day)
    clock = (given.hour, given.minute, given.second, given.microsecond, given.tzinfo)
    return own(*day, *clock, fold=given.fold)


def text(given: str) -> str:
    return str.__str__(given)


def has_members_of(given: Any, kept: Any) -> bool:
    """Whether each member that was given is one of those that it was taken for."""
    return Counter(_members(given)) <= Counter(_members(kept))


def _members(value: Any) -> Iterator[Enum]:
    match value:
        case Enum():
            yield value
        case dict():
            for name, item in value.items():
                yield from _members(name)
                yield from _members(item)
        case list() | tuple() | set() | frozenset():
            for item in value:
                yield from _members(item)
        case _:
            for attribute in attributes_of(type(value)).values():
                yield from _members(getattr(value, attribute))
