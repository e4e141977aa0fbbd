"""JSON that survives the round trip: what a payload, a result or a context may hold."""

import json
import math
import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from forge_jobs.wording import quoted

_SCALARS: Final = frozenset({str, int, bool, type(None)})
_TYPES: Final = (str, int, float, list, tuple, dict)
LONGEST_INTEGER_BITS: Final = 14_000
DEEPEST: Final = 200
"""Levels of lists and dictionaries. SQLite reads 1,000; Python may be deep in its own stack."""

NEGATIVE_ZERO: Final = "-1e-324"
"""What a float takes for -0.0, and PostgreSQL for a number that has a sign to keep."""

_encode: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode
# Strings are matched so that nothing is found inside of them.
_FLOATS: Final = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"|(?P<large>-?[0-9.]+e\+[0-9]+)|(?P<zero>-0\.0(?![0-9]))'
)


class NotJSON(ValueError):
    """Says what is not JSON, and at which path."""


def dumps(value: Any, *, name: str) -> str:
    """The JSON text of `value`, called `name` in the `NotJSON` that refuses it.

    Refused is what would come back as something else (tuples become lists without fuss, but keys
    that are no strings would become strings), and what the databases can't store: NaN, infinities,
    the character NUL, lone surrogates and what is nested too deeply.
    """
    try:
        if not (is_plain := _is_plain(value)):
            _refuse(value, name, levels=DEEPEST)
        text = _encoded(value, name)
        if "\\u0000" in text or not _is_unicode(text):
            _refuse_text(value, name)
    except RecursionError:
        raise NotJSON(
            f"{name} is nested too deeply, or contains itself: lists and dictionaries may be "
            f"{DEEPEST} levels deep."
        ) from None
    return text if is_plain else with_lasting_floats(text)


def with_lasting_floats(text: str) -> str:
    """The same JSON, with floats as `jsonb` gives them back: it knows numbers, but no floats.

    `1e+23` would come back as an integer, and another one than that float is; `-0.0` as `0.0`.
    """
    if "e+" in text or "-0.0" in text:
        return _FLOATS.sub(_lasting, text)
    return text


def _lasting(found: re.Match[str]) -> str:
    match found.lastgroup:
        case "large":
            return f"{Decimal(found[0]):f}.0"
        case "zero":
            return NEGATIVE_ZERO
    return found[0]


def _encoded(value: Any, name: str) -> str:
    try:
        return _encode(value)
    except (TypeError, ValueError):
        _refuse(value, name, levels=DEEPEST)
        raise


def size(text: str) -> int:
    """How many bytes the text takes in UTF-8."""
    return len(text) if text.isascii() else len(text.encode())


def is_storable(text: str) -> bool:
    """Whether both databases can store the text: no NUL, no half surrogate pairs."""
    return "\0" not in text and _is_unicode(text)


def _is_unicode(text: str) -> bool:
    try:
        size(text)
    except UnicodeEncodeError:
        return False
    return True


def _is_plain(value: Any) -> bool:
    """Whether `value` is a dictionary of scalars that are no floats, as most payloads are."""
    if value.__class__ is not dict:
        return False
    for key, item in value.items():
        if item.__class__ not in _SCALARS or key.__class__ is not str:
            return False
    return True


def _refuse(value: Any, path: str, *, levels: int) -> None:
    """Raise for the first thing within `value` that is not JSON.

    `RecursionError` if it has more levels than that.
    """
    # Asked of the type: a lazy object calls itself an instance of what it stands for.
    if value is not None and not issubclass(type(value), _TYPES):
        raise NotJSON(f"{path} is not JSON: {_described(value)}.")
    if isinstance(value, float) and not math.isfinite(value):
        raise NotJSON(f"{path} is {value}, which JSON has no word for.")
    if isinstance(value, int) and value.bit_length() > LONGEST_INTEGER_BITS:
        raise NotJSON(f"{path} is a number of more digits than Python reads back.")
    if isinstance(value, dict):
        for key in value:
            if not issubclass(type(key), str):
                raise NotJSON(f"{path} has the key {quoted(key)}; the keys of JSON are strings.")
    for step, item in _items(value):
        if not levels:
            raise RecursionError
        _refuse(item, f"{path}{step}", levels=levels - 1)


def _refuse_text(value: Any, path: str) -> None:
    """Raise for the first string within `value` that a database can't store."""
    if isinstance(value, str):
        if "\0" in value:
            raise NotJSON(f"{path} contains the character NUL, which PostgreSQL can't store.")
        if not _is_unicode(value):
            raise NotJSON(f"{path} contains half a surrogate pair, which is no valid Unicode.")
    if isinstance(value, dict):
        for key in value:
            _refuse_text(key, f"a key of {path}")
    for step, item in _items(value):
        _refuse_text(item, f"{path}{step}")


def _items(value: Any) -> Iterator[tuple[str, Any]]:
    match value:
        case dict():
            return ((f".{key}", item) for key, item in value.items())
        case list() | tuple():
            return ((f"[{place}]", item) for place, item in enumerate(value))
    return iter(())


def _described(value: Any) -> str:
    kind = f"{type(value).__module__}.{type(value).__qualname__}".removeprefix("builtins.")
    if any("pk" in vars(one) for one in type(value).__mro__):  # asks no code of the value's own
        return f"{quoted(value)} ({kind}); pass its primary key and load it in the handler"
    return f"{quoted(value)} ({kind}); pass a string, a number, a list or a dictionary"
