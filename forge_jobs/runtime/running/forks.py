"""What a process that a handler forks takes over from ours: nothing that works against it.

`multiprocessing` and `os.fork()` copy the whole process. With our signal handlers its copy would
not end when it is told to, and with our sessions it would speak in the middle of our sentences.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterable
from threading import local
from typing import Any, Final

import psutil
from django.db import connections

from forge_jobs.runtime import sessions

logger = logging.getLogger(__name__)

TERM_SECONDS: Final = 1.0
"""How long a process that a handler has left behind may take to heed SIGTERM."""

_thread = local()
_handled: Final[set[int]] = set()
_inherited: Final[list[Any]] = []
"""Sessions that are the parent's; to let go of them here could end them there."""
_forked: Final[list[int]] = []
"""Empty but in a process that a handler forked."""


def disown_forks(signals: Iterable[int]) -> None:
    """From now on let processes that are forked here begin with the defaults of these signals."""
    if not _handled:
        os.register_at_fork(
            before=_hold_signals, after_in_parent=_let_signals_pass, after_in_child=_start_afresh
        )
    _handled.update(signals)


def leave() -> None:
    """End the process in which a handler ends, if it is one that the handler forked.

    It would be one more worker with the same jobs otherwise, and finish what is not its own.
    """
    if not _forked:
        return
    code = 1
    try:
        match sys.exception():
            case None:
                code = 0
            case SystemExit(code=None | int() as status):
                code = (status or 0) & 0xFF
            case error:
                traceback.print_exception(error)
    finally:
        os._exit(code)


def end_those_left_behind() -> None:
    """End what handlers have started by `multiprocessing` and not waited for.

    At its end Python would wait for it without limit, or leave it with nobody to see to it.
    """
    multiprocessing = sys.modules.get("multiprocessing")
    if not (multiprocessing and (known := multiprocessing.active_children())):
        return
    ours = {child.pid for child in psutil.Process().children()}  # not what a supervisor has started
    left = [process for process in known if process.pid in ours]
    for process in left:
        if not process.daemon:
            logger.warning("ending process %s, which a handler has left behind", process.pid)
        process.terminate()
    deadline = time.monotonic() + TERM_SECONDS
    for process in left:
        process.join(max(0.0, deadline - time.monotonic()))
        process.kill()
        process.join(TERM_SECONDS)


def _hold_signals() -> None:
    """One that comes to the new process before it has its defaults waits for them."""
    _thread.mask = signal.pthread_sigmask(signal.SIG_BLOCK, _handled)


def _let_signals_pass() -> None:
    signal.pthread_sigmask(signal.SIG_SETMASK, _thread.mask)


def _start_afresh() -> None:
    _forked.append(os.getpid())
    _inherited.extend(sessions.known())
    for connection in connections.all(initialized_only=True):
        _inherited.append(connection)
        del connections[connection.alias]
    for number in _handled:
        signal.signal(number, signal.SIG_DFL)
    _let_signals_pass()
    if signal.SIGINT in _handled:  # not earlier: a KeyboardInterrupt in here would be dropped
        signal.signal(signal.SIGINT, signal.default_int_handler)
