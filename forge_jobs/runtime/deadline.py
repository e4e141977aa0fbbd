"""Ends a handler that runs longer than its job's timeout."""

import ctypes
import time
from threading import Lock, get_ident
from typing import Self

from forge_jobs.exceptions import JobTimedOut


class Deadline:
    """Lets another thread raise `JobTimedOut` in this one, for the length of a `with` block.

    Never after the block: what was raised but has not arrived by its end is taken back.
    """

    def __init__(self, seconds: float) -> None:
        self._thread = ctypes.c_ulong(get_ident())
        self._due_at = time.monotonic() + seconds
        self._lock = Lock()
        self._is_over = False
        self.has_struck = False

    def enforce(self) -> None:
        """Called by another thread, again and again."""
        with self._lock:
            if not self._is_over and time.monotonic() >= self._due_at:
                self._is_over = self.has_struck = True
                self._raise(JobTimedOut)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            self._is_over = True
            self._raise(None)

    def _raise(self, exception: type[BaseException] | None) -> None:
        pending = ctypes.py_object(exception) if exception else ctypes.py_object()
        ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, pending)
