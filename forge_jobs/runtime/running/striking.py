"""Raising an exception in another thread, between two of its Python instructions."""

from __future__ import annotations

import ctypes
import sys
import time
from threading import Lock, get_ident
from typing import Final, Self

IMPORT_SYSTEM: Final = "<frozen importlib._bootstrap>"

LEAVES_MARK: Final = sys.version_info < (3, 12)
LOOKS: Final = 10
"""Turns of a loop, at each of which Python looks whether something is to be raised."""


class Reach:
    """Where another thread can `strike()`: within the block, in the thread that is in it.

    Never after it: what was raised but has not arrived by its end is taken back.
    """

    _is_open = False
    _has_struck = False

    def __init__(self) -> None:
        self._thread = get_ident()
        self._lock = Lock()

    def __enter__(self) -> Self:
        self._is_open = True
        return self

    def __exit__(self, *exc_info: object) -> None:
        with self._lock:
            self._is_open = False
            if self._has_struck:
                take_back(self._thread)

    def strike(self, exception: type[BaseException]) -> None:
        """Raise an exception between two of the Python instructions that run there.

        Once; not before the block is entered, and not while it imports: what is struck in vain
        is struck again.
        """
        with self._lock:
            if self._is_open and not self._has_struck:
                self._has_struck = strike(self._thread, exception)

    @property
    def is_importing(self) -> bool:
        return is_importing(self._thread)


def strike(thread: int, exception: type[BaseException]) -> bool:
    """Raise `exception` in a thread, unless it is importing; tells which.

    A module that is broken off while it is made stays half made, or is taken out of reach of
    those that have it already, and everybody in this process who needs it fails from then on.
    """
    # As of now nobody else runs for as long as an interpreter's slice of time lasts, unless the
    # system stops us: the thread can't begin to import between the look and the strike.
    time.sleep(0)
    if is_importing(thread):
        return False
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))
    return True


def take_back(thread: int) -> None:
    """Let not happen what has been raised in a thread and has not arrived.

    To take it back leaves a mark in Python 3.11, which only an arrival takes away: until then it
    looks for one again and again, and a thread that is traced or profiled gets no further than the
    next function. So something arrives here, at once; to call a function before would be too late.
    """
    set_pending = ctypes.pythonapi.PyThreadState_SetAsyncExc
    try:
        set_pending(ctypes.c_ulong(thread), ctypes.py_object())
        if LEAVES_MARK:
            set_pending(ctypes.c_ulong(get_ident()), ctypes.py_object(_Arrived))
            for _ in range(LOOKS):
                pass
    except _Arrived:
        pass


class _Arrived(BaseException):
    """Goes no further than where it was made."""


def is_importing(thread: int) -> bool:
    """Whether a module is being made, or waited for, anywhere on a thread's stack."""
    frame = sys._current_frames().get(thread)
    while frame is not None:
        if frame.f_code.co_filename == IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False
