"""Members of enumerations as arguments: msgspec takes those of texts, but not those of numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from enum import Enum
from typing import Any

from forge_jobs.handlers.losses import attributes_of


def by_value(given: Any) -> Any:
    """The same with numbers in place of members, within lists, sets and dictionaries too."""
    match given:
        case Enum(value=int(number)):
            return number
        case dict():
            return {by_value(name): by_value(value) for name, value in given.items()}
        case tuple():
            return tuple(map(by_value, given))
        case list() | set() | frozenset():
            return list(map(by_value, given))
    return given


def are_among(given: Any, kept: Any) -> bool:
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
