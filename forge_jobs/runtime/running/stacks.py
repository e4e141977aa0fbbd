"""Where a thread or a coroutine is, for people."""

from __future__ import annotations

import sys
import traceback
from threading import Thread
from traceback import FrameSummary
from typing import Any


def of_thread(thread: Thread | None) -> str:
    frame = sys._current_frames().get(thread.ident or 0) if thread else None
    return "".join(traceback.format_stack(frame)) if frame else ""


def of_coroutine(awaiting: Any) -> str:
    """From what was called first to what it awaits."""
    frames: list[FrameSummary] = []
    while awaiting is not None:
        if frame := getattr(awaiting, "cr_frame", None):
            frames += traceback.extract_stack(frame, limit=1)
        awaiting = getattr(awaiting, "cr_await", None)
    return "".join(traceback.format_list(frames))
