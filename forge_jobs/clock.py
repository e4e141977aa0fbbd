"""The one clock: the database's. A process applies the offset that it measured to it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_offset = timedelta(0)


def now() -> datetime:
    """The database's present moment, as well as this process knows it; aware, in UTC."""
    return _source()


def _system() -> datetime:
    return datetime.now(UTC) + _offset


_source: Callable[[], datetime] = _system


def set_offset(offset: timedelta) -> None:
    """Tell how far the database's clock is ahead of this machine's."""
    global _offset
    _offset = offset


class ManualClock:
    """A clock for tests: it stands still until it is advanced."""

    def __init__(self, start: datetime) -> None:
        self.current = start

    def __call__(self) -> datetime:
        return self.current

    def advance(self, by: timedelta) -> datetime:
        self.current += by
        return self.current


@contextmanager
def installed(source: Callable[[], datetime]) -> Iterator[None]:
    """Let `now()` ask `source` for the length of a block."""
    global _source
    previous, _source = _source, source
    try:
        yield
    finally:
        _source = previous
