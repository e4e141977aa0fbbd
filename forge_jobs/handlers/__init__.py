"""What runs, and what does it come to?"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from forge_jobs.handlers.command import Command
    from forge_jobs.handlers.pool import SubprocessPool

__all__ = ["Command", "SubprocessPool"]

WHERE: Final = {
    "Command": "forge_jobs.handlers.command",
    "SubprocessPool": "forge_jobs.handlers.pool",
}


def __getattr__(name: str) -> Any:
    """Most projects start no programs, and each of their web processes would load what does."""
    if name not in WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(WHERE[name]), name)
