"""Keeps the memory small that the C library holds free for each thread by itself."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import suppress
from typing import Final

M_ARENA_MAX: Final = -8
HEAPS: Final = 2
"""Its default is eight for each core, of which a process of a dozen threads makes use."""


def share_heaps() -> None:
    """Let all threads that will be there share two heaps, instead of one for each.

    Without effect where the environment says how many, or the C library is not glibc.
    """
    told = os.environ.get("MALLOC_ARENA_MAX") or "arena_max" in os.environ.get("GLIBC_TUNABLES", "")
    if told or sys.platform != "linux":
        return
    with suppress(OSError, AttributeError):  # a Python without a C library to load, or another one
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, HEAPS)
