"""Statements that the server keeps for a session: read and planned once, not for each job."""

from typing import Any, Final
from weakref import WeakKeyDictionary

MANY: Final = 3
"""After so many jobs it seems that a session will enqueue more of them."""

NEVER: Final = float("-inf")


class Prepared:
    """What the server keeps for one session."""

    def __init__(self) -> None:
        self.names: set[str] = set()
        self.enqueued = 0.0


_by_session: Final[WeakKeyDictionary[Any, Prepared]] = WeakKeyDictionary()
"""Of each session that may have any kept."""


def allow(session: Any) -> None:
    """Not one that a pooler lends: what it keeps is with the server's, and that may change."""
    _by_session.setdefault(session, Prepared())


def forget(session: Any) -> None:
    """The server was asked to forget all that it keeps for a session."""
    if session in _by_session:
        _by_session[session] = Prepared()


def has_enqueued(session: Any, *, backend: int) -> None:
    """A session has, by itself: `backend` is the server's process that did it."""
    if session.info.backend_pid == backend:
        allow(session)
        _by_session[session].enqueued += 1
    elif session in _by_session:  # a pooler told the right one at first
        use_no_more(session)


def may_be(session: Any) -> bool:
    """Whether the server may keep something for a session, and did not refuse what it was to."""
    of_session = _by_session.get(session)
    return of_session is not None and of_session.enqueued >= 0


def is_used(session: Any) -> bool:
    """Whether a session enqueues so many jobs that it is worth to have something kept for it."""
    of_session = _by_session.get(session)
    return of_session is not None and of_session.enqueued >= MANY


def use_no_more(session: Any) -> None:
    """The server refused, perhaps for somebody made it forget, who may do so again."""
    _by_session[session].enqueued = NEVER


def is_new(session: Any, name: str) -> bool:
    """Whether the server is to be told now."""
    names = _by_session[session].names
    is_new = name not in names
    names.add(name)
    return is_new
