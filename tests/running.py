"""Running engines in the test's own process, and `runjobs` in real ones."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import IO, Any, Self

import psutil
from django.db import connection

from forge_jobs.db.rows import ClaimedJob
from forge_jobs.handlers.outcomes import Done
from forge_jobs.runtime.engine import Engine
from forge_jobs.runtime.options import Options
from forge_jobs.runtime.settlements import Finished
from tests.conftest import NOON
from tests.rows import transition

PATIENCE = 90.0
"""Seconds that anything may take before a test gives up on it."""

ROOT = Path(__file__).parent.parent


def engine(
    *,
    queues: tuple[str, ...] = ("default",),
    threads: int = 2,
    async_concurrency: int | None = None,
    name: str = "tested",
    shutdown_timeout: float = PATIENCE / 2,
    drain: bool = False,
    poll_interval: float = 0.2,
    health_file: Path | None = None,
) -> Engine:
    options = Options(
        queues=dict.fromkeys(queues, 1),
        threads=threads,
        async_concurrency=async_concurrency or threads,
        name=name,
        poll_interval=timedelta(seconds=poll_interval),
        shutdown_timeout=timedelta(seconds=shutdown_timeout),
        drain=drain,
        health_file=health_file,
    )
    return Engine.signed_on(options)


def drain(
    *,
    queues: tuple[str, ...] = ("default",),
    threads: int = 2,
    async_concurrency: int | None = None,
) -> Engine:
    """Run here until nothing is ready or running."""
    drained = engine(
        queues=queues, threads=threads, async_concurrency=async_concurrency, drain=True
    )
    drained.run()
    return drained


def ended(claimed: ClaimedJob, **columns: Any) -> Finished:
    """A run that was a success, whatever else is said of it."""
    return Finished(claimed, transition(claimed, **{"finished_at": NOON} | columns), Done(), 0.1)


@contextmanager
def running(subject: Engine) -> Iterator[Engine]:
    """Run an engine beside the test, and stop it at the end."""
    thread = Thread(target=subject.run, daemon=True)
    thread.start()
    try:
        yield subject
    finally:
        subject.lifecycle.request_stop("the test is over")
        thread.join(PATIENCE)
    assert not thread.is_alive()


def eventually(condition: Callable[[], bool], *, patience: float = PATIENCE) -> None:
    """Wait, with bounded patience, until `condition` holds."""
    deadline = time.monotonic() + patience
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("It did not come true in time.")
        time.sleep(0.01)


def printed(log: IO[Any]) -> str:
    """What a process has written to a file so far.

    Where that goes on is the same for both: a process that writes while the file is read from its
    start would write over what is there.
    """
    size = os.fstat(log.fileno()).st_size
    return os.pread(log.fileno(), size, 0).decode(errors="replace")


class Manage:
    """A real `manage.py` with a command that goes on until it is stopped, on the test's database.

    `within` are the words of a command that runs another one in its place, `flags` are those of
    the interpreter.
    """

    def __init__(
        self,
        *words: str,
        within: Sequence[str] = (),
        flags: Sequence[str] = (),
        **environment: str,
    ) -> None:
        # A file, for a pipe that nobody reads would block the process when it is full.
        self.log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process lives
        self.process = subprocess.Popen(
            [*within, sys.executable, *flags, "-m", "django", *words],
            cwd=ROOT,
            env={
                **os.environ,
                "DJANGO_SETTINGS_MODULE": "tests.settings",
                "FORGE_JOBS_TEST_DATABASE_NAME": str(connection.settings_dict["NAME"]),
                "PYTHONUNBUFFERED": "1",
                **environment,
            },
            stdout=self.log,
            stderr=self.log,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        if any(exc_info):
            sys.stdout.write(self.output)  # pytest shows it beside what failed
        if self.process.poll() is None:
            for pid in reversed(self.pids):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        self.log.close()

    @property
    def output(self) -> str:
        """All that was printed so far."""
        return printed(self.log)

    def wait(self) -> tuple[int, str]:
        """The exit code, and all that was printed."""
        code = self.process.wait(PATIENCE)
        return code, self.output

    @property
    def pids(self) -> list[int]:
        """Of itself and, if it is a supervisor, of its processes."""
        itself = psutil.Process(self.process.pid)
        return [itself.pid, *(child.pid for child in itself.children())]

    def terminate(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)


class Runjobs(Manage):
    """`manage.py runjobs` on the test's own database.

    It has no pages: Django's checks would load them all, which takes as long as the rest.
    """

    def __init__(
        self,
        *arguments: str,
        within: Sequence[str] = (),
        flags: Sequence[str] = (),
        **environment: str,
    ) -> None:
        own = {"FORGE_JOBS_TEST_URLS": "tests.app.urls"} | environment
        super().__init__("runjobs", *arguments, within=within, flags=flags, **own)
