"""Waits, then becomes a process of a supervisor; run by its path, in no package.

A fresh interpreter can't wait by itself: it may die while it loads the project, again and again.
"""

import os
import signal
import sys
import time

REQUESTS = {signal.SIGTERM, signal.SIGQUIT}


def main(seconds: float, code: int, command: list[str]) -> None:
    """A request to stop ends it with this exit code; it begins with such signals held back."""
    for number in REQUESTS:
        signal.signal(number, lambda number, frame: os._exit(code))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, REQUESTS)
    time.sleep(seconds)
    signal.pthread_sigmask(signal.SIG_BLOCK, REQUESTS)
    os.execv(command[0], command)  # noqa: S606 - there is no shell, and none is wanted


if __name__ == "__main__":
    main(float(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
