"""Whether code is called by a handler's run, in whichever thread."""

from contextvars import ContextVar
from typing import Final

lost_by_run: Final[ContextVar[list[str] | None]] = ContextVar("lost_by_run", default=None)
"""The connections that the run lost inside of a transaction; None outside of a run."""


def is_inside() -> bool:
    return lost_by_run.get() is not None
