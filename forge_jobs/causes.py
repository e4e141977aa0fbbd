"""What led to an exception, as Python keeps it and not as the exception's own code says."""

from collections.abc import Iterator
from typing import Any, Final

MOST_CAUSES: Final = 100

cause_of: Final[Any] = BaseException.__dict__["__cause__"].__get__
"""What it was raised from; None if nothing."""
_context: Final[Any] = BaseException.__dict__["__context__"].__get__


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An exception, what it was raised from and in the handling of, and so on.

    Ends even where they lead to each other.
    """
    seen: set[int] = set()
    links = [error]
    while links and len(seen) < MOST_CAUSES:
        link = links.pop(0)
        if link is not None and id(link) not in seen:
            seen.add(id(link))
            yield link
            links += [cause_of(link), _context(link)]
