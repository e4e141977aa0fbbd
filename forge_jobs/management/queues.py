"""`manage.py jobs queue`: shows the queues as operators steer them, and steers one."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable, Set
from datetime import datetime, timedelta
from typing import Any, Final

from django.core.management import CommandError
from django.db.models import Count

from forge_jobs.conf import conf
from forge_jobs.management import budgets, parsing
from forge_jobs.management.rendering import NOTHING, lasting, number, table
from forge_jobs.models import Job, Process, Queue, Share
from forge_jobs.wording import listed, meant

HEADS: Final = (
    "queue", "state", "running", "max workers", "budget", "keeps succeeded", "keeps failed",
)  # fmt: skip
UNTOLD: Final = object()
COLUMNS: Final = ("max_workers", "budget", "retain_succeeded_seconds", "retain_failed_seconds")


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    parsing.add_name(parser, "queue")
    stopping = parser.add_mutually_exclusive_group()
    stopping.add_argument("--pause", action="store_true", help="let nothing of it start")
    stopping.add_argument("--resume", action="store_true", help="let a paused queue go on")
    add("--cool-off", action="store_true", help="end its cooling down")
    add("--max-workers", type=_or(None, _workers), metavar="N|none", help="in all processes")
    add("--budget", type=_or("", parsing.words), metavar="NAME|none", help="a token for each job")
    keep = _or(None, lambda text: parsing.duration(text).total_seconds())
    for option, states in (("succeeded", "succeeded"), ("failed", "dead and cancelled")):
        add(
            f"--retain-{option}",
            dest=f"retain_{option}_seconds",
            type=keep,
            metavar="7d|none",
            help=f"how long to keep {states} jobs; none: for ever",
        )
    parser.set_defaults(**dict.fromkeys(COLUMNS, UNTOLD))


def carry_out(*, name: str | None, now: datetime, **options: Any) -> str:
    """Do what is asked for; returns what there is to say."""
    changes = {column: options[column] for column in COLUMNS if options[column] is not UNTOLD}
    is_steered = changes or options["pause"] or options["resume"] or options["cool_off"]
    if name is None and is_steered:
        raise CommandError("Say which queue: jobs queue NAME ...")
    Queue.objects.sow({key: one.columns() for key, one in conf().queues.items()})
    rows = Queue.objects.order_by("name")
    if name is not None and not rows.filter(name=name).exists():
        known = list(rows.values_list("name", flat=True))
        raise CommandError(f"There is no queue {name}, only {listed(known)}.{meant(name, known)}")
    told = _steer(name, changes, now=now, **options) if name else []
    return "\n".join([*told, *_shown(rows.filter(name=name) if name else rows, now=now)])


def _steer(
    name: str,
    changes: dict[str, Any],
    *,
    pause: bool,
    resume: bool,
    cool_off: bool,
    now: datetime,
    **options: Any,
) -> list[str]:
    """Each step says whether it changed anything."""
    if budget := changes.get("budget"):
        budgets.refuse_unknown(budget)
    queues, told = Queue.objects, []
    if changes:
        told.append("Changed." if queues.retune(name, **changes) else "It is set so already.")
    if cool_off:
        ended = queues.cool_off(name, now=now)
        told.append("Cooling ended." if ended else "It is not cooling.")
    if pause:
        told.append("Paused." if queues.pause(name) else "It is paused already.")
    if resume:
        told.append("Resumed." if queues.resume(name) else "It is not paused.")
    return [*told, ""] if told else []


def _shown(rows: Any, *, now: datetime) -> list[str]:
    served = {queue for process in Process.objects.claiming(now=now) for queue in process.queues}
    counted = Job.objects.running().values_list("queue").annotate(count=Count("pk")).order_by()
    running = dict(counted)
    running |= Share.objects.busy([row.name for row in rows if row.max_workers])
    cells = [
        [
            row.name,
            _state(row, served, now=now),
            number(running.get(row.name, 0)),
            NOTHING if row.max_workers is None else str(row.max_workers),
            row.budget or NOTHING,
            _kept(row.retain_succeeded_seconds),
            _kept(row.retain_failed_seconds),
        ]
        for row in rows
    ]
    return table(HEADS, cells, right={"running", "max workers"})


def _state(row: Queue, served: Set[str], *, now: datetime) -> str:
    """All that keeps its jobs from being run; or that nothing does."""
    found = []
    if row.is_paused:
        found.append("paused")
    if row.throttled_until and row.is_cooling(now=now):
        found.append(f"cooling for {lasting(row.throttled_until - now)}")
    if row.name not in served:
        found.append("unserved")
    return ", ".join(found) or "running"


def _kept(seconds: float | None) -> str:
    if seconds is None:
        return "for ever"
    return lasting(timedelta(seconds=seconds)) if seconds else "not at all"


def _or(nothing: object, read: Callable[[str], object]) -> Callable[[str], object]:
    """Reads the word `none`, too."""
    return lambda text: nothing if text == "none" else read(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or int(text) > 2**31 - 1:
        raise ArgumentTypeError(f"{text!r} is no number of workers; write 0 or more, or none.")
    return int(text)
