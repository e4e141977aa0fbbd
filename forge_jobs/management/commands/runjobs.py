"""`manage.py runjobs`: claims and runs jobs until it is told to stop."""

import os
from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from forge_jobs import db
from forge_jobs.checks import AT_START
from forge_jobs.conf import conf
from forge_jobs.conf.bounds import MAX_COROUTINES, MAX_THREADS
from forge_jobs.durations import as_timedelta
from forge_jobs.exceptions import ChildUnfit, ProcessNameTaken
from forge_jobs.management.parsing import count
from forge_jobs.management.trouble import told_in_one_line
from forge_jobs.runtime.command.console import Console
from forge_jobs.runtime.command.launch import Launch
from forge_jobs.runtime.registration import default_name
from forge_jobs.wording import listed, meant, quoted

LONGEST_NAME: Final = 190
"""A supervisor adds the number of each process."""

MOST_PROCESSES: Final = 1_000
MOST_WEIGHT: Final = 1_000
MOST: Final = 10**9


class Command(BaseCommand):
    help = (
        "Claims and runs jobs. SIGTERM or Ctrl-C stops in order, a second one at once. Exits with "
        "0 after an orderly stop, with 1 if something broke; with --drain, with 3 if a job died."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--queues",
            type=_queues,
            metavar="A,B=5",
            help="queues to serve, by turns, or as often as the numbers say "
            "(default: all that are declared)",
        )
        parser.add_argument(
            "--threads",
            type=count(MAX_THREADS),
            help='how many jobs to run at once (default: "THREADS")',
        )
        parser.add_argument(
            "--async-concurrency",
            type=count(MAX_COROUTINES),
            metavar="N",
            help="how many jobs of async def handlers to run at once, beside those "
            '(default: "ASYNC_CONCURRENCY", else as many as there are threads)',
        )
        parser.add_argument(
            "--name",
            type=_name,
            help="this process's name, one of its own on this host; a process gives back the jobs "
            "of its dead predecessor of the same name (default: one that no other ever has)",
        )
        parser.add_argument(
            "--drain",
            action="store_true",
            help="exit when nothing is ready or running here: with 0, or with 3 if a job died",
        )
        parser.add_argument(
            "--poll-interval",
            type=_duration,
            metavar="SECONDS",
            help='look for work at least this often (default: "POLL_INTERVAL")',
        )
        parser.add_argument(
            "--shutdown-timeout",
            type=_duration,
            metavar="SECONDS",
            help='how long running jobs may take at a stop (default: "SHUTDOWN_TIMEOUT")',
        )
        parser.add_argument(
            "--processes",
            type=count(MOST_PROCESSES),
            metavar="N",
            help="run N such processes under a supervisor, which replaces those that die "
            "(default: one, by itself)",
        )
        parser.add_argument(
            "--max-jobs-per-process",
            type=count(MOST),
            metavar="N",
            help="replace a process by a fresh one after so many jobs; it finishes what it runs",
        )
        parser.add_argument(
            "--max-memory",
            type=count(MOST),
            metavar="MIB",
            help="replace a process that uses more memory; it finishes what it runs",
        )
        parser.add_argument(
            "--spawn",
            action="store_true",
            help="start processes as fresh interpreters, not as forks of the supervisor; chosen by "
            "itself when that has used a CUDA driver",
        )
        parser.add_argument(
            "--reload", action="store_true", help="restart when code changes, for development"
        )
        parser.add_argument(
            "--health-file",
            type=_file,
            metavar="PATH",
            help="touch this file with every heartbeat, as long as jobs can be run",
        )
        parser.add_argument(
            "--log-json", action="store_true", help="log one JSON object a line, for machines"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        settings = conf()
        queues = options["queues"] or dict.fromkeys(settings.queues, 1)
        if unknown := [queue for queue in queues if queue not in settings.queues]:
            raise CommandError(
                f'--queues: {listed(unknown)} is not declared in FORGE_JOBS["QUEUES"], '
                f"which has {listed(settings.queues)}.{meant(unknown[0], settings.queues)}"
            )
        threads = options["threads"] or settings.threads
        launch = Launch(
            queues=queues,
            threads=threads,
            async_concurrency=options["async_concurrency"] or settings.async_concurrency or threads,
            name=options["name"] or default_name(),
            poll_interval=options["poll_interval"] or settings.poll_interval,
            shutdown_timeout=options["shutdown_timeout"] or settings.shutdown_timeout,
            drain=options["drain"],
            processes=options["processes"],
            max_jobs=options["max_jobs_per_process"],
            max_memory_bytes=(options["max_memory"] or 0) * 2**20 or None,
            spawn=options["spawn"],
            reload=options["reload"],
            health_file=options["health_file"],
        )
        console = Console(self.stdout, verbosity=options["verbosity"], as_json=options["log_json"])
        try:
            with told_in_one_line():
                self.check(tags=[AT_START], databases=[settings.database])
                _refuse_memory()
                launch.run(console)
        except (ProcessNameTaken, ChildUnfit) as error:
            raise CommandError(str(error)) from None


def _refuse_memory() -> None:
    connection = db.connection()
    if connection.vendor == "sqlite" and connection.is_in_memory_db():  # type: ignore[attr-defined] # SQLite's
        raise CommandError(
            f"The SQLite database {connection.alias!r} is in memory: no other process can enqueue "
            f"there, and no thread sees what another has written. Name a file in DATABASES."
        )


def _queues(text: str) -> dict[str, int]:
    parts = [part.strip().partition("=") for part in text.split(",") if part.strip()]
    weigh = count(MOST_WEIGHT)
    weights = {name.strip(): weigh(weight) if sign else 1 for name, sign, weight in parts}
    if not weights or "" in weights:
        raise ArgumentTypeError(f"{text!r} is no list of queues; write default,mail=5.")
    return weights


def _duration(text: str) -> timedelta:
    try:
        duration = as_timedelta(float(text), field=text)
    except ValueError:
        duration = timedelta(0)
    if not duration:
        raise ArgumentTypeError(f"{text!r} is no number of seconds above 0.")
    return duration


def _name(text: str) -> str:
    if not 0 < len(text) <= LONGEST_NAME or not text.isprintable():
        raise ArgumentTypeError(
            f"{quoted(text)} is no name; write 1 to {LONGEST_NAME} characters that can be printed."
        )
    return text


def _file(text: str) -> Path:
    path = Path(text).absolute()
    if not text or path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ArgumentTypeError(f"{text!r} is no file that can be written.")
    return path
