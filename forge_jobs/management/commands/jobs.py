"""`manage.py jobs`: looks at jobs, enqueues them, and steers them by hand."""

from argparse import SUPPRESS, ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, DjangoHelpFormatter

from forge_jobs import clock
from forge_jobs.enqueueing.enqueue import enqueue
from forge_jobs.enqueueing.extras import WAYS
from forge_jobs.exceptions import EnqueueError
from forge_jobs.handlers.handler import JobOptions
from forge_jobs.management import (
    batches,
    budgets,
    job_report,
    job_table,
    parsing,
    processes,
    queues,
    schedule_verb,
    steering,
)
from forge_jobs.management.rendering import one_line
from forge_jobs.management.status_report import JSONReport, TextReport
from forge_jobs.management.trouble import told_in_one_line
from forge_jobs.management.watching import somebody_reads, watch
from forge_jobs.models import Job
from forge_jobs.operations.ailments import MAX_LAG, ailments
from forge_jobs.operations.bulk import Cancel, Kill, Operation, Purge, Retry, RunNow
from forge_jobs.operations.status import Status
from forge_jobs.runtime.registration import measure_clock

OPTIONS: Final = JobOptions.__annotations__.keys()


class Command(BaseCommand):
    help = "Looks at jobs, batches, schedules, queues, budgets and processes, and steers them."
    requires_system_checks = ()  # a fault elsewhere is no reason not to steer

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(
            title="verbs", metavar="VERB", required=True, parser_class=parsing.VerbParser
        )

        def verb(name: str, act: Callable[..., None], text: str) -> ArgumentParser:
            added: ArgumentParser = verbs.add_parser(
                name, help=text, description=text, formatter_class=DjangoHelpFormatter
            )
            added.set_defaults(act=act)
            _add_usual(added)
            return added

        _add_status(verb("status", self.status, "Shows queues, processes, and what is amiss."))
        _add_health(verb("health", self.health, "Exits with 1, and says why, if all is not well."))
        listing = verb("list", partial(job_table.show, self), "Lists jobs, a line each.")
        job_table.add_arguments(listing)
        _add_show(verb("show", self.show, "Shows all of one job."))
        _add_enqueue(verb("enqueue", self.enqueue, "Stores a job, and prints its id."))
        steering.add_arguments(verb("retry", self.retry, "Lets finished jobs run again."), Retry)
        cancel = verb("cancel", self.cancel, "Cancels what waits, and asks what runs to stop.")
        steering.add_arguments(cancel, Cancel)
        steering.add_reason(cancel, "cancelled by an operator")
        kill = verb("kill", self.kill, "Ends what runs; of what waits, cancels what is named.")
        steering.add_arguments(kill, Kill)
        steering.add_reason(kill, "killed by an operator")
        now = verb("run-now", self.run_now, "Lets jobs run now that wait for their time.")
        steering.add_arguments(now, RunNow)
        steering.add_arguments(verb("purge", self.purge, "Deletes finished jobs."), Purge)
        schedule = verb("schedule", schedule_verb.show, "Lists schedules, and steers them.")
        schedule_verb.add_verbs(schedule, self, add_usual=_add_usual)
        batch = verb("batch", batches.show_all, "Lists batches, and steers them.")
        batches.add_verbs(batch, self, add_usual=_add_usual)
        queues.add_arguments(verb("queue", self.queue, "Shows queues, or steers one of them."))
        budgets.add_arguments(verb("budget", self.budget, "Shows budgets, or steers one of them."))
        processes.add_arguments(
            verb("process", self.process, "Shows processes, or steers one of them.")
        )
        verbs.choices = parsing.Names(verbs.choices, called="verb")

    def handle(self, *args: Any, act: Callable[..., None], **options: Any) -> None:
        with told_in_one_line(), somebody_reads(self.stdout):
            measure_clock()
            act(**options)

    def status(self, *, every: timedelta | None, as_json: bool, **options: Any) -> None:
        text = TextReport(self.style.WARNING)
        report = JSONReport(indent=None if every else 2) if as_json else text
        if every:
            watch(report, every=every, stdout=self.stdout)
        else:
            self.stdout.write(report.of(Status.read(now=clock.now())))

    def health(self, *, max_lag: timedelta, verbosity: int, **options: Any) -> None:
        if found := ailments(now=clock.now(), max_lag=max_lag):
            self.stdout.write("\n".join(map(one_line, found)))
            raise SystemExit(1)
        if verbosity:
            self.stdout.write("All is well.")

    def show(self, *, pk: int, **options: Any) -> None:
        job = Job.objects.filter(pk=pk).first()
        if job is None:
            raise CommandError(f"There is no job with the id {pk}.")
        self.stdout.write(job_report.as_text(job, now=clock.now()))

    def enqueue(self, *, kind: str, payload: Any, verbosity: int, **options: Any) -> None:
        given = {name: value for name, value in options.items() if value is not None}
        try:
            job = enqueue(kind, payload, **{name: given[name] for name in OPTIONS & given.keys()})
        except EnqueueError as error:
            raise CommandError(str(error)) from error
        if job.was_deduplicated and verbosity:
            self.stderr.write(f"{_told_of(job)}: {job} has the key already.")
        self.stdout.write(str(job.pk))

    def retry(self, **options: Any) -> None:
        self._steer(Retry(steering.selected(Retry, options)), **options)

    def cancel(self, *, reason: str, **options: Any) -> None:
        self._steer(Cancel(steering.selected(Cancel, options), reason), **options)

    def kill(self, *, reason: str, **options: Any) -> None:
        self._steer(Kill(steering.selected(Kill, options), reason), **options)

    def run_now(self, **options: Any) -> None:
        self._steer(RunNow(steering.selected(RunNow, options)), **options)

    def purge(self, **options: Any) -> None:
        self._steer(Purge(steering.selected(Purge, options)), **options)

    def queue(self, **options: Any) -> None:
        self.stdout.write(queues.carry_out(now=clock.now(), **options))

    def budget(self, **options: Any) -> None:
        self.stdout.write(budgets.carry_out(now=clock.now(), **options))

    def process(self, **options: Any) -> None:
        self.stdout.write(processes.carry_out(now=clock.now(), **options))

    def _steer(self, operation: Operation, *, yes: bool, **options: Any) -> None:
        steering.carry_out(self, operation, yes=yes, now=clock.now())


def _told_of(job: Job) -> str:
    if job.was_replaced:
        return "It was replaced"
    return "It was postponed" if job.was_postponed else "Nothing was stored"


def _add_usual(parser: ArgumentParser) -> None:
    """What Django takes before the verb may come after it."""
    parser.add_argument(
        "-v", "--verbosity", type=int, choices=range(4), default=SUPPRESS, help=SUPPRESS
    )
    for name in ("--settings", "--pythonpath"):
        parser.add_argument(name, default=SUPPRESS, help=SUPPRESS)
    for name in ("--traceback", "--no-color", "--force-color"):
        parser.add_argument(name, action="store_true", default=SUPPRESS, help=SUPPRESS)


def _add_status(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--watch",
        dest="every",
        nargs="?",
        type=parsing.interval,
        const=timedelta(seconds=2),
        metavar="SECONDS",
        help="show it again and again, until Ctrl-C (default: every 2 seconds)",
    )
    parser.add_argument(
        "--json", dest="as_json", action="store_true", help="one JSON document, or one a line"
    )


def _add_health(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--max-lag",
        type=parsing.duration,
        default=MAX_LAG,
        metavar="DURATION",
        help="how long ready jobs may wait if nobody takes them, or whoever should is in trouble, "
        "and how late schedules may be (default: 60s)",
    )


def _add_show(parser: ArgumentParser) -> None:
    parser.add_argument("pk", type=parsing.job_id, metavar="ID")


def _add_enqueue(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("kind", metavar="KIND")
    add(
        "payload",
        type=parsing.payload,
        nargs="?",
        metavar="JSON",
        help="the handler's keyword arguments, as an object (default: {})",
    )
    add("--queue", help="(default: the handler's)")
    add("--priority", type=int, help="-100 to 100, higher runs first (default: the handler's)")
    add("--delay", type=parsing.duration, metavar="15m", help="run after that time")
    add("--run-at", type=parsing.moment, metavar="MOMENT", help="such as 2026-03-02T12:00:00+01:00")
    add("--expires-in", type=parsing.interval, metavar="1h", help="cancel it if not begun by then")
    add("--max-attempts", type=int, metavar="N", help="(default: the handler's)")
    add("--dedupe-key", metavar="KEY", help="store nothing if an unfinished job has this key")
    add("--on-duplicate", choices=WAYS, help="what becomes of that job if it waits (default: keep)")
    add("--label", dest="labels", action="append", metavar="WORD", help="to find it by; repeatable")
    add("--idempotency-key", metavar="KEY", help="store nothing if any job has this key")
