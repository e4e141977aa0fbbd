"""Raising an exception in another thread, between two of its Python instructions."""

from __future__ import annotations

import ctypes
import sys
import time
from typing import Final

IMPORT_SYSTEM: Final = "<frozen importlib._bootstrap>"


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
    _raise_in(thread, ctypes.py_object(exception))
    return True


def take_back(thread: int) -> None:
    """Let not happen what has been raised in a thread and has not arrived."""
    _raise_in(thread, ctypes.py_object())


def is_importing(thread: int) -> bool:
    """Whether a module is being made, or waited for, anywhere on a thread's stack."""
    frame = sys._current_frames().get(thread)
    while frame is not None:
        if frame.f_code.co_filename == IMPORT_SYSTEM:
            return True
        frame = frame.f_back
    return False


def _raise_in(thread: int, pending: ctypes.py_object[type[BaseException]]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), pending)
