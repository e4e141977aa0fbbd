"""A process in a group of its own, and the pipes to it: what both sides say passes at once."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from forge_jobs.children.guardian import guardian

READ_BYTES: Final = 65_536
DEATH_SECONDS: Final = 5.0
"""How long a process that was killed may take to be gone, as one that waits for a disk does."""


class Child:
    """Used by one thread at a time. Raises `OSError` if it can't be started."""

    def __init__(
        self,
        argv: Sequence[str],
        *,
        environment: Mapping[str, str],
        cwd: str | os.PathLike[str] | None = None,
        executable: str | None = None,
    ) -> None:
        self._process = process = subprocess.Popen(
            argv,
            executable=executable,
            env=guardian.marked(dict(environment)),
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            start_new_session=True,
        )
        self.pid = process.pid
        self._streams = [pipe for pipe in (process.stdin, process.stdout, process.stderr) if pipe]
        self._stdin, self._stdout, self._stderr = (pipe.fileno() for pipe in self._streams)
        os.set_blocking(self._stdin, False)
        self._poll = select.poll()
        self._poll.register(self._stdout, select.POLLIN)
        self._poll.register(self._stderr, select.POLLIN)
        self._open = {self._stdout, self._stderr}
        self._unsent = memoryview(b"")
        self._waits_for_room = False
        self.is_deaf = False
        """Whether it has closed its stdin."""
        try:
            guardian.watch(self.pid)
        except BaseException:
            self.kill()
            raise

    @property
    def is_mute(self) -> bool:
        """Whether it has closed its stdout."""
        return self._stdout not in self._open

    @property
    def is_closed(self) -> bool:
        """Whether neither it nor what it has started can say any more."""
        return not self._open

    @property
    def has_read_all(self) -> bool:
        """Whether all that was sent is in its pipe."""
        return not self._unsent

    @property
    def is_silent(self) -> bool:
        """Whether nothing more passes, either way."""
        return self.is_closed and self.has_read_all

    def send(self, data: bytes) -> None:
        """Write what the pipe takes now, and the rest while `receive()` waits."""
        self._unsent = memoryview(b"".join((self._unsent, data)) if self._unsent else data)
        self._write()

    def finish_input(self) -> None:
        """Let it read to the end, at which a child that keeps to the rules ends."""
        if not self._streams[0].closed:
            self._write_no_more()
            self._streams[0].close()

    def receive(self, seconds: float) -> tuple[bytes, bytes]:
        """What comes next of its stdout and its stderr; nothing if nothing does in that time."""
        said, told = b"", b""
        if self.is_silent:
            time.sleep(seconds)
            return said, told
        for stream, _ in self._poll.poll(seconds * 1000):
            if stream == self._stdin:
                self._write()
            elif not (data := os.read(stream, READ_BYTES)):
                self._poll.unregister(stream)
                self._open.discard(stream)
            elif stream == self._stdout:
                said = data
            else:
                told = data
        return said, told

    def has_spoken(self) -> bool:
        """Whether there is something to be read of its stdout, be it the end."""
        return self.is_mute or any(stream == self._stdout for stream, _ in self._poll.poll(0))

    def memory(self) -> int:
        """Its resident bytes, without those of what it has started."""
        import psutil

        try:
            rss: int = psutil.Process(self.pid).memory_info().rss
        except psutil.Error:
            return 0
        return rss

    def has_ended(self, *, within: float = 0.0) -> bool:
        if within > 0:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(within)
        return self._process.poll() is not None

    def kill(self) -> None:
        """End its whole group, of which something may be left when it has ended itself."""
        self.strike()
        self.has_ended(within=DEATH_SECONDS)
        guardian.forget(self.pid)
        for pipe in self._streams:
            pipe.close()

    @property
    def ending(self) -> str:
        """How it has ended, in words."""
        code = self._process.returncode
        if code is None:
            return "still runs"
        if code >= 0:
            return f"ended with exit code {code}"
        with suppress(ValueError):
            return f"was ended by {signal.Signals(-code).name}"
        return f"was ended by signal {-code}"

    @property
    def has_succeeded(self) -> bool:
        return self._process.returncode == 0

    def strike(self) -> None:
        """Send its group SIGKILL; for another thread than the one that uses it."""
        with suppress(ProcessLookupError, PermissionError):  # nothing is left; macOS says the other
            os.killpg(self.pid, signal.SIGKILL)

    def _write(self) -> None:
        try:
            while self._unsent:
                self._unsent = self._unsent[os.write(self._stdin, self._unsent) :]
        except BlockingIOError:
            self._poll.register(self._stdin, select.POLLOUT)
            self._waits_for_room = True
        except BrokenPipeError:
            self.is_deaf = True
            self._write_no_more()
        else:
            if self._waits_for_room:
                self._write_no_more()

    def _write_no_more(self) -> None:
        self._unsent = memoryview(b"")
        if self._waits_for_room:
            self._poll.unregister(self._stdin)
            self._waits_for_room = False
