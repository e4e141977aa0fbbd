"""Waiting for what arrives at a file descriptor, until somebody ends the wait."""

import select
import socket
from contextlib import suppress
from typing import Final, Self

LONGEST_SECONDS: Final = 60.0


class Arrivals:
    """Of one thread, which waits; `interrupt()` may be called by any other, and at any time."""

    def __init__(self) -> None:
        self._ended, self._end = socket.socketpair()
        self._poll = select.poll()
        self._poll.register(self._ended, select.POLLIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._end.close()
        self._ended.close()

    def expect_at(self, descriptor: int) -> None:
        self._poll.register(descriptor, select.POLLIN)

    def wait(self, seconds: float) -> bool:
        """Whether anything came in so many seconds; True at once, ever after, if interrupted."""
        milliseconds = 1000 * max(0.0, min(LONGEST_SECONDS, seconds))
        return bool(self._poll.poll(milliseconds))

    def interrupt(self) -> None:
        with suppress(OSError):  # it is over already
            self._end.send(b".")
