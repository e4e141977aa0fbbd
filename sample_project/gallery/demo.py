"""Runs the gallery's server and a worker side by side, and ends them together."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from socket import SO_REUSEADDR, SOL_SOCKET, socket
from typing import Self

from django.core.management.base import CommandError

from sample_project.gallery.seed import LOGIN, PASSWORD

HOST = "127.0.0.1"
MANAGE = Path(__file__).resolve().parents[2] / "manage.py"
SHUTDOWN_SECONDS = 3
"""What runs at a Ctrl-C has so long; then it goes back to be run the next time."""
GRACE_SECONDS = SHUTDOWN_SECONDS + 10
HURRY_SECONDS = 5
TICK_SECONDS = 0.1
STILLBORN_SECONDS = 5
"""Who ends sooner than that would do so again and again."""

WELCOME = """
  Gallery          {address}
  Mission Control  {address}admin/forge_jobs/missioncontrol/
                   (login {login}, password {password})

  Ctrl-C stops the server and the worker. A worker that is ended otherwise is
  replaced: try it, nothing is lost. Failures that are logged here are part of
  the demo: its API answers with errors now and then, and a picture is broken.
"""


def run(*, port: int, say: Callable[[str], object]) -> int:
    """Serve at `port` or the next free one until a signal comes, or the server ends.

    Returns the exit code: 0 after a signal, else what tells how the child ended.
    """
    chosen = free_port(port)
    worker = "demo" if chosen == port else f"demo-{chosen}"
    api = f"http://{HOST}:{chosen}/fake-api/pictures/"
    environment = {
        **os.environ,
        "GALLERY_API_URL": api,
        "GALLERY_VISITORS": "1",
        "PYTHONUNBUFFERED": "1",
    }
    shutdown = ("--shutdown-timeout", str(SHUTDOWN_SECONDS))
    children: list[Child] = []
    with _signals_interrupt():
        try:
            for command in (
                ("runserver", "--noreload", f"{HOST}:{chosen}"),
                ("runjobs", "--threads", "8", "--name", worker, *shutdown),
            ):
                children.append(Child.start(*command, environment=environment))
            return watch(children, port=chosen, say=say)
        except KeyboardInterrupt:
            say("Stopping, once what runs is done or put back. Another Ctrl-C does not wait.")
            return 0
        finally:
            # The worker first: what it is about to publish goes to the server.
            for child in reversed(children):
                child.stop()


def watch(children: list[Child], *, port: int, say: Callable[[str], object]) -> int:
    """Welcome once the server answers, replace workers; return how a child ended for good."""
    welcomed = False
    while True:
        for place, child in enumerate(children):
            if child.ended(within=TICK_SECONDS):
                code = child.process.returncode
                if not child.is_replaceable:
                    say(f"{child.command[0]} ended by itself, with {code}.")
                    return 128 - code if code < 0 else code or 1
                say(f"The worker has ended, with {code}. A new one starts.")
                children[place] = child.replaced()
        if not welcomed and _answers(port):
            address = f"http://{HOST}:{port}/"
            say(WELCOME.format(address=address, login=LOGIN, password=PASSWORD))
            welcomed = True


def free_port(first: int) -> int:
    """The first port from `first` on that nobody listens on; raises `CommandError`."""
    for port in range(first, min(first + 100, 65536)):
        with socket() as probe, suppress(OSError):
            probe.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
            probe.bind((HOST, port))
            return port
    raise CommandError(f"No port is free from {first} on.")


@dataclass(frozen=True)
class Child:
    """A manage.py command that runs beside this one."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes]
    started_at: float

    @classmethod
    def start(cls, *command: str, environment: Mapping[str, str]) -> Self:
        """In a session of its own: a Ctrl-C reaches this process alone, which keeps the order."""
        process = subprocess.Popen(  # noqa: S603 - our own manage.py
            [sys.executable, str(MANAGE), *command], env=environment, start_new_session=True
        )
        return cls(command, environment, process, time.monotonic())

    @property
    def is_replaceable(self) -> bool:
        """A worker that has worked: somebody ended it to see what happens."""
        age = time.monotonic() - self.started_at
        return self.command[0] == "runjobs" and age > STILLBORN_SECONDS

    def replaced(self) -> Self:
        return self.start(*self.command, environment=self.environment)

    def ended(self, *, within: float) -> bool:
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(within)
        return self.process.returncode is not None

    def stop(self) -> None:
        """Ask it to end, ask again at another Ctrl-C or when it takes too long, then insist."""
        for patience in (GRACE_SECONDS, HURRY_SECONDS):
            with suppress(subprocess.TimeoutExpired, KeyboardInterrupt):
                self.process.terminate()
                self.process.wait(patience)
                return
        self.process.kill()
        self.process.wait()


def _answers(port: int) -> bool:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", "/status/")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def _signals_interrupt() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block as Ctrl-C does, even where that is ignored."""
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {name: signal.signal(name, signal.default_int_handler) for name in names}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)
