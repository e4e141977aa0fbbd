"""Words for people: what was given, told safely and in short, and what was probably meant."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache
from reprlib import Repr
from typing import Final

LONGEST_MESSAGE: Final = 2_000
"""Of what is kept of an error or a reason."""

LONGEST_QUOTE: Final = 200
LONGEST_NAME: Final = 200
"""Of what is longer nobody can have meant a name."""

MOST_NAMES: Final = 20

# Controls, what turns the direction of writing or ends a line, halves of surrogate pairs.
_MARKS: Final = r"\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff"

_name_of: Final = type.__dict__["__name__"].__get__
_short: Final = Repr()
_short.maxstring = _short.maxother = LONGEST_QUOTE
_short.maxlist = _short.maxtuple = _short.maxdict = 10


def quoted(value: object) -> str:
    """As `repr()`, but no longer than a line, and whatever the value's own `__repr__` does."""
    try:
        return _short.repr(value)
    except (Exception, SystemExit):  # not what a kill or Ctrl-C raises here
        return f"<{_name_of(type(value))}, which can't be told>"


def meant(given: object, known: Iterable[str]) -> str:
    """` Did you mean 'queue'?` where a name that is known is close to what was given, else empty.

    The last part of a dotted name is close to the whole.
    """
    if not isinstance(given, str) or len(given) > LONGEST_NAME:
        return ""
    names = {name.casefold(): name for name in known}
    told = str.casefold(given)
    ends = [name for name in names if name.endswith(f".{told}")]
    nearest = ends or get_close_matches(told, names, n=1)
    return f" Did you mean {names[nearest[0]]!r}?" if nearest else ""


def listed(names: Iterable[str]) -> str:
    """Names after each other, the first of them where there are many; `none` for none."""
    told = list(names)
    if len(told) > MOST_NAMES:
        return f"{', '.join(told[:MOST_NAMES])}, … ({len(told):,} in all)"
    return ", ".join(told) or "none"


def trimmed(text: str, longest: int) -> str:
    """The text as a database can store it, with its middle left out where it is too long."""
    text = text.replace("\0", "\N{SYMBOL FOR NULL}").encode(errors="replace").decode()
    if len(text) <= longest:
        return text
    half = longest // 2
    return f"{text[:half]}\n… {len(text) - 2 * half:,} characters left out …\n{text[-half:]}"


def printable(text: str) -> str:
    """Without what would move a terminal's cursor, change its colours, or turn its writing round.

    It is written as Python would: `\\\\x1b`. Lines and tabs stay.
    """
    return unsafe().sub(_escaped, text)


def in_one_line(text: str) -> str:
    """The same, with lines and tabs written so as well."""
    return _unsafe_in_a_line().sub(_escaped, text)


@cache
def unsafe() -> re.Pattern[str]:
    """Each character that does more to a terminal than stand in its place."""
    return re.compile(rf"[\x00-\x08\x0b-\x1f{_MARKS}]")


@cache
def _unsafe_in_a_line() -> re.Pattern[str]:
    return re.compile(rf"[\x00-\x1f{_MARKS}]")


def _escaped(found: re.Match[str]) -> str:
    return found[0].encode("unicode_escape").decode()
