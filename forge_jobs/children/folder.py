"""Where a child starts: a folder that stays the one looked at, whatever its name becomes."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

HELD: Final = Path("/proc/self/fd")


@contextmanager
def held(name: Path) -> Iterator[tuple[Path, Path]]:
    """Where it lies, with all links followed, and how a child can name it in the meantime.

    Raises `OSError`. On a system that has no name for what is open (macOS) both are the same, and
    whoever may write in it can put a link there between a look and the start.
    """
    descriptor = os.open(name, os.O_DIRECTORY | getattr(os, "O_PATH", os.O_RDONLY))
    try:
        if not os.access(name, os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(name))
        handle = HELD / str(descriptor)
        if HELD.exists():
            yield Path(os.readlink(handle)), handle
        else:
            yield name.resolve(), name.resolve()
    finally:
        os.close(descriptor)
