"""Ends what a process has started once that process is gone; run by its path, in no package.

It hears of that by a pipe. A parent-death signal would come when the thread ends that has forked,
and would not reach what a child has started itself.
"""

import os
import signal
import sys

ENDURED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)


def main(mark: bytes) -> None:
    """Until the pipe ends: a group's number when it begins, the same below zero when it is over."""
    for number in ENDURED:
        signal.signal(number, signal.SIG_IGN)
    groups: set[int] = set()
    for line in sys.stdin.buffer:
        if (group := int(line)) > 0:
            groups.add(group)
        else:
            groups.discard(-group)
    for group in groups:
        _end(-group)
    for pid in _marked(mark):
        _end(pid)


def _marked(mark: bytes) -> list[int]:
    """Children of which the process died before it could tell, where the system shows them."""
    try:
        names = os.listdir("/proc")
    except OSError:
        return []
    return [int(name) for name in names if name.isdigit() and _has(name, mark)]


def _has(pid: str, mark: bytes) -> bool:
    try:
        with open(f"/proc/{pid}/environ", "rb") as environment:
            return mark in environment.read().split(b"\0")
    except OSError:  # it is somebody else's, or gone
        return False


def _end(target: int) -> None:
    try:  # noqa: SIM105 - it imports as little as it can, and stays small
        os.kill(target, signal.SIGKILL)
    except OSError:
        pass


if __name__ == "__main__":
    main(os.fsencode(sys.argv[1]))
