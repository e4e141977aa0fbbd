"""Bytes in, whole lines out, and never more of them in memory than a line may have."""

from __future__ import annotations

from typing import Final

LONGEST_LOG_LINE: Final = 8_192


class LineTooLong(ValueError):
    """A line has more bytes than any may have."""


class Lines:
    """Takes what has come of a stream."""

    def __init__(self, *, longest: int) -> None:
        self.longest = longest
        self._parts: list[bytes] = []
        self._size = 0

    @property
    def is_within_a_line(self) -> bool:
        return bool(self._parts)

    def take(self, data: bytes) -> list[bytes]:
        """Returns the lines that end in it; raises `LineTooLong`."""
        whole = self._split(data)
        if self._size > self.longest or any(len(line) > self.longest for line in whole):
            raise LineTooLong
        return whole

    def _split(self, data: bytes) -> list[bytes]:
        *whole, rest = data.split(b"\n")
        if whole and self._parts:
            whole[0] = self._rest() + whole[0]
        if rest:
            self._parts.append(rest)
            self._size += len(rest)
        return whole

    def _rest(self) -> bytes:
        rest, self._parts, self._size = b"".join(self._parts), [], 0
        return rest


class LogLines(Lines):
    """The same of a stream of which nothing is agreed: a line that is too long is cut."""

    def __init__(self) -> None:
        super().__init__(longest=LONGEST_LOG_LINE)

    def take(self, data: bytes) -> list[bytes]:
        whole = self._split(data)
        if self._size > self.longest:
            whole.append(self._rest())
        return self._shown(whole)

    def end(self) -> list[bytes]:
        """The last line, which nothing has ended."""
        return self._shown([self._rest()])

    def _shown(self, whole: list[bytes]) -> list[bytes]:
        return [line[: self.longest] for line in whole if line.strip()]
