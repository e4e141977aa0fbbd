"""Hides what nobody should read: values under certain names, and where texts quote them."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from string import ascii_lowercase, ascii_uppercase
from typing import Any, Final

from forge_jobs.wording import quoted

Names = frozenset[str]

MASK: Final = "•••"
SHORTEST: Final = 6
"""What is shorter occurs in texts by chance, and masking it would make errors unreadable."""

_QUOTED: Final = (str, bytes, int, float)
_LOWER: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


class NothingHidden(ValueError):
    """A mask stands where there is no hidden value."""


def folded(name: str) -> str:
    """As names are compared; no more than ASCII, as SQLite does it."""
    return str.translate(name, _LOWER)


def names(given: object, *, field: str) -> Names:
    """Validated and folded; raises `ValueError` that says what `field` must be."""
    listed = given if isinstance(given, Collection) and not isinstance(given, str | bytes) else [""]
    if not all(isinstance(name, str) and name for name in listed):
        raise ValueError(f'{field} must be names, such as ["password"], not {quoted(given)}.')
    return frozenset(map(folded, listed))


def hidden(value: Any, names: Names) -> Any:
    """A copy of a JSON value with a mask for all that stands under one of the names."""
    if not names:
        return value
    match value:
        case dict():
            return {
                key: MASK if _is_named(key, names) else hidden(item, names)
                for key, item in value.items()
            }
        case list() | tuple():
            return [hidden(item, names) for item in value]
    return value


def restored(given: Any, stored: Any, names: Names) -> Any:
    """What somebody who saw masks has made of it, with what is stored where a mask was left alone.

    Raises `NothingHidden` for a mask under a name under which nothing is stored.
    """
    match given:
        case dict():
            old = stored if isinstance(stored, dict) else {}
            return {
                key: _unmasked(key, item, old)
                if _is_named(key, names)
                else restored(item, old.get(key), names)
                for key, item in given.items()
            }
        case list():
            rest = stored if isinstance(stored, list) else []
            old_items = [*rest, *[None] * len(given)]
            return [restored(item, old_items[place], names) for place, item in enumerate(given)]
    return given


def secrets(value: Any, names: Names) -> list[str]:
    """How the values that are hidden may be spelled in a text; the longest first."""
    found = {spelling for leaf in _leaves(value, names) for spelling in _spellings(leaf)}
    return sorted((one for one in found if len(one) >= SHORTEST), key=len, reverse=True)


def masked(text: str, secrets: Collection[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, MASK)
    return text


def _is_named(key: object, names: Names) -> bool:
    return isinstance(key, str) and folded(key) in names


def _unmasked(key: str, item: Any, stored: dict[str, Any]) -> Any:
    if item != MASK:
        return item
    if key not in stored:
        raise NothingHidden(key)
    return stored[key]


def _leaves(value: Any, names: Names, *, is_hidden: bool = False) -> Iterator[Any]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _leaves(item, names, is_hidden=is_hidden or _is_named(key, names))
        case list() | tuple():
            for item in value:
                yield from _leaves(item, names, is_hidden=is_hidden)
        case bool() | None:
            pass
        case _ if is_hidden and type(value) in _QUOTED:
            yield value


def _spellings(leaf: Any) -> Iterator[str]:
    """As it is, and as it stands in a `repr()` or in JSON."""
    match leaf:
        case str():
            yield from (leaf, repr(leaf)[1:-1], json.dumps(leaf)[1:-1])
            yield json.dumps(leaf, ensure_ascii=False)[1:-1]
        case bytes():
            yield repr(leaf)[2:-1]
        case int() | float():
            yield repr(leaf)
