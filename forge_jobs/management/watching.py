"""Shows the status again and again, until Ctrl-C or until nobody reads on."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from django.core.management import CommandError
from django.core.management.base import OutputWrapper
from django.db import close_old_connections

from forge_jobs import clock
from forge_jobs.management.status_report import Report
from forge_jobs.management.trouble import told_in_one_line
from forge_jobs.operations.status import Status


def watch(report: Report, *, every: timedelta, stdout: OutputWrapper) -> None:
    """Trouble with the database is shown, and may pass."""
    clear = report.clear if stdout.isatty() else ""
    try:
        while True:
            stdout.write(clear + _present(report))
            stdout.flush()
            time.sleep(every.total_seconds())
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        _let_go(stdout)


@contextmanager
def somebody_reads(stdout: OutputWrapper) -> Iterator[None]:
    """Exit without a word, but not as if all were well, where nobody reads on."""
    try:
        yield
        stdout.flush()
    except BrokenPipeError:
        _let_go(stdout)
        raise SystemExit(1) from None


def _let_go(stdout: OutputWrapper) -> None:
    """Of a closed pipe, as with `| head`; Python would complain again at its exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())


def _present(report: Report) -> str:
    try:
        with told_in_one_line():
            return report.of(Status.read(now=clock.now()))
    except CommandError as error:
        close_old_connections()
        return report.of_trouble(str(error))
