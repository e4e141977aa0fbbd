"""Signals in, an exit code out."""

import logging
import os
import signal
import sys
from itertools import count
from types import FrameType
from typing import Final

from forge_jobs.runtime.engine import Engine

BRUTALLY: Final = 3
FAILED: Final = 1
"""The exit code of a process that broke, or could not write all outcomes."""

JOBS_DIED: Final = 3
"""The exit code of a drain in which a job became a dead letter."""


def stop_on_signals(engine: Engine) -> None:
    """SIGTERM and Ctrl-C stop the engine in order, the second one at once, the third brutally."""
    received = count(1)

    def request_stop(number: int, frame: FrameType | None) -> None:
        if next(received) >= BRUTALLY:
            os._exit(FAILED)
        engine.request_stop(signal.Signals(number).name)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, request_stop)


def leave(engine: Engine) -> None:
    """End the OS process, even if handlers still run."""
    code = FAILED if engine.failure else JOBS_DIED if engine.drain and engine.died else 0
    if engine.is_stuck:
        # Their jobs have been given back; waiting at exit for threads that may be stuck in
        # foreign code would undo the shutdown timeout.
        logging.shutdown()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    if code:
        sys.exit(code)
