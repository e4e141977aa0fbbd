"""Linux's word that a file is being written, without a look at it."""

import ctypes
import os
from collections.abc import Iterable
from typing import Any, Final

MODIFY: Final = 0x2
NONBLOCK: Final = os.O_NONBLOCK
CLOSE_ON_EXEC: Final = getattr(os, "O_CLOEXEC", 0)
MANY_BYTES: Final = 4096


class Inotify:
    """Raises `OSError` where there is none, or no more of it to be had, or no such file."""

    def __init__(self, files: Iterable[str]) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        if not hasattr(library, "inotify_init1"):
            raise OSError("This system has no inotify.")
        self.descriptor = _checked(library.inotify_init1(NONBLOCK | CLOSE_ON_EXEC))
        try:
            for file in files:
                _checked(library.inotify_add_watch(self.descriptor, os.fsencode(file), MODIFY))
        except OSError:
            self.close()
            raise

    def take(self) -> bool:
        """Whether anything was written since the last time."""
        try:
            return bool(os.read(self.descriptor, MANY_BYTES))
        except BlockingIOError:
            return False

    def close(self) -> None:
        os.close(self.descriptor)


def _checked(result: Any) -> int:
    if result == -1:
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))
    return int(result)
