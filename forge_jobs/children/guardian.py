"""Sees to it that no child outlives this process, however it ends: a guard does it in its place."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final

PROGRAM: Final = Path(__file__).with_name("guard.py")
MARK: Final = "FORGE_JOBS_CHILD_OF"
"""The environment variable by which a guard knows a child that it was not told of."""

GRACE_SECONDS: Final = 5.0


class Guardian:
    """Told of each group of processes; its guard is started for the first of them."""

    def __init__(self) -> None:
        self._guard: subprocess.Popen[bytes] | None = None
        self._pipe = -1
        self._groups: set[int] = set()
        self._lock = Lock()
        self._token = new_token()
        os.register_at_fork(after_in_child=self._disown)

    def marked(self, environment: dict[str, str]) -> dict[str, str]:
        """The environment of a child."""
        return {**environment, MARK: self._token}

    def watch(self, group: int) -> None:
        """End this group when this process is gone."""
        with self._lock:
            self._groups.add(group)
            if not self._told(group):  # there is none yet, or somebody has ended it
                self._dismiss()
                self._guard, self._pipe = self._started()
                self._told(*self._groups)

    def forget(self, group: int) -> None:
        """Called for a group that has ended, whose number may become another's."""
        with self._lock:
            self._groups.discard(group)
            self._told(-group)

    def leave(self) -> None:
        """Do without a guard, unless there is something to guard."""
        with self._lock:
            if not self._groups:
                self._dismiss()

    def _told(self, *news: int) -> bool:
        if self._guard is None or self._guard.poll() is not None:
            return False
        try:
            os.write(self._pipe, b"".join(b"%d\n" % group for group in news))
        except BrokenPipeError:
            return False
        return True

    def _started(self) -> tuple[subprocess.Popen[bytes], int]:
        theirs, ours = os.pipe()
        try:
            guard = subprocess.Popen(
                [sys.executable, "-I", "-S", str(PROGRAM), f"{MARK}={self._token}"],
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        return guard, ours

    def _dismiss(self) -> None:
        if self._guard is None:
            return
        os.close(self._pipe)
        try:
            self._guard.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:  # somebody has stopped it
            self._guard.kill()
            self._guard.wait()
        self._guard = None

    def _disown(self) -> None:
        """In a fork of this process, which must not keep the pipe open when this one is gone."""
        if self._guard is not None:
            with suppress(OSError):
                os.close(self._pipe)
            self._guard.returncode = 0  # it is not ours to wait for
        self._guard = None
        self._groups = set()
        self._lock = Lock()
        self._token = new_token()


def new_token() -> str:
    return f"{os.getpid()}-{secrets.token_hex(8)}"


guardian: Final = Guardian()
