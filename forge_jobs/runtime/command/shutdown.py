"""Signals in, an exit code out."""

import logging
import os
import signal
import sys
from contextlib import suppress
from itertools import count
from types import FrameType
from typing import Final, NoReturn

from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.lifecycle import Lifecycle
from forge_jobs.runtime.running.forks import disown_forks

STOPS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)

AT_ONCE: Final = signal.SIGQUIT
"""By which a supervisor tells its processes to stop at once."""

BRUTALLY: Final = 3
FAILED: Final = 1
"""The exit code of a process that broke, or could not write all outcomes."""

JOBS_DIED: Final = 3
"""The exit code of a drain in which a job became a dead letter."""

RETIRED: Final = 4
"""Added to the exit code of a supervised process that has more to do, but made way for another."""

ORDERLY: Final = 224
"""Added to the exit code of a supervised process that came to its end: `os._exit(0)` of a handler
ends a process as well, and leaves its jobs lying. Few else use these codes: 64 to 78 are those of
sysexits.h, and a shell's for signals end below 200."""


def stop_on_signals(lifecycle: Lifecycle) -> None:
    """The first request stops the process in order, the second at once, the third brutally."""
    received = count(1)

    def request_stop(number: int, frame: FrameType | None) -> None:
        if next(received) >= BRUTALLY:
            os._exit(FAILED)
        lifecycle.request_stop(signal.Signals(number).name)

    for number in requests():
        signal.signal(number, request_stop)
    disown_forks(requests())


def obey_supervisor(lifecycle: Lifecycle) -> None:
    """SIGTERM stops the process in order, however often it comes; `AT_ONCE` at once.

    Ctrl-C reaches every process of a terminal, and some service managers signal every process of
    a unit: what the supervisor passes on must not count as a second request.
    """
    received = count(1)

    def stop(number: int, frame: FrameType | None) -> None:
        if next(received) == 1:
            lifecycle.request_stop(signal.Signals(number).name)

    def stop_at_once(number: int, frame: FrameType | None) -> None:
        lifecycle.request_stop(signal.Signals(number).name)
        lifecycle.request_stop(signal.Signals(number).name)

    signal.signal(signal.SIGTERM, stop)
    signal.signal(AT_ONCE, stop_at_once)
    # Not SIG_IGN, which the programs that handlers start would inherit.
    for number in {*requests()} - {signal.SIGTERM}:
        signal.signal(number, lambda number, frame: None)
    disown_forks({*requests(), AT_ONCE})
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)


def requests() -> list[signal.Signals]:
    """The signals that ask a process to stop; one that is started by `nohup` ignores SIGHUP."""
    ignores = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    return [signal.SIGTERM, signal.SIGINT, *([] if ignores else [signal.SIGHUP])]


def exit_code(engine: Engine, *, died_before: int = 0) -> int:
    """Jobs that `died_before` were those of its predecessor."""
    if engine.failure:
        return FAILED
    return JOBS_DIED if engine.options.drain and engine.died + died_before else 0


def supervised_code(engine: Engine, *, died_before: int) -> int:
    """The exit code by which a supervisor knows that the process came to its end, and to which."""
    if (code := exit_code(engine, died_before=died_before)) == FAILED:
        return FAILED
    return ORDERLY + code + (RETIRED if engine.lifecycle.retiring else 0)


def leave(engine: Engine) -> None:
    """End the OS process, even if handlers still run."""
    code = exit_code(engine)
    if engine.is_stuck:
        # Their jobs have been given back; waiting at exit for threads that may be stuck in
        # foreign code would undo the shutdown timeout.
        leave_at_once(code)
    if code:
        sys.exit(code)


def leave_at_once(code: int) -> NoReturn:
    """End the OS process without waiting for its threads, whatever its streams have come to."""
    try:
        logging.shutdown()
        flush()
    finally:
        os._exit(code)


def flush() -> None:
    """Write out what was printed, as far as anybody is still there to take it."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
