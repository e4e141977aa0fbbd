"""`manage.py jobs retry`, `cancel`, `kill`, `run-now`, `purge`: which jobs, a dry run, the deed."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from forge_jobs.management import parsing
from forge_jobs.models import State
from forge_jobs.operations.bulk import Operation
from forge_jobs.operations.selection import Selection
from forge_jobs.states import TERMINAL

FILTERS: Final = (
    *("ids", "queue", "kind", "batch", "label"),
    *("states", "older_than", "newer_than", "error"),
)


def add_arguments(parser: ArgumentParser, operation: type[Operation]) -> None:
    is_usual = operation.usual == operation.allowed
    add_filters(
        parser,
        states=operation.allowed,
        usual=f"{'all of them' if is_usual else ', '.join(operation.usual)}; for ids, any",
    )
    add = parser.add_argument
    add("--all", dest="everything", action="store_true", help="needed where there is no filter")
    add("--yes", action="store_true", help="do it, instead of saying what would be done")


def add_reason(parser: ArgumentParser, usual: str) -> None:
    parser.add_argument(
        "--reason",
        type=parsing.words,
        metavar="TEXT",
        default=usual,
        help="what the handler is told and the job keeps (default: %(default)s)",
    )


def add_filters(parser: ArgumentParser, *, states: Sequence[State], usual: str) -> None:
    add = parser.add_argument
    since = "finished" if {*states} <= {*TERMINAL} else "enqueued"
    add("ids", type=parsing.job_id, nargs="*", metavar="ID")
    add("--queue", type=parsing.words, help="the name of a queue, even of a former one")
    add("--kind", type=parsing.kind, help="a kind, or with a trailing * a prefix of kinds")
    add("--batch", type=parsing.batch_id, metavar="ID", help="the id of a batch")
    add("--label", type=parsing.words, help="that jobs were given when they were enqueued")
    add(
        "--state",
        dest="states",
        type=parsing.states(*states),
        action="extend",
        metavar="A,B",
        help=f"any of {', '.join(states)} (default: {usual})",
    )
    add("--older-than", type=parsing.duration, metavar="7d", help=f"{since} longer ago")
    add("--newer-than", type=parsing.duration, metavar="12h", help=f"{since} less long ago")
    add("--error", type=parsing.words, metavar="TEXT", help="whose last error contains this text")


def filters(options: Mapping[str, Any]) -> dict[str, Any]:
    return {name: options[name] for name in FILTERS if options[name] not in (None, [])}


def selected(operation: type[Operation], options: Mapping[str, Any]) -> Selection:
    given = filters(options)
    if not given and not options["everything"]:
        raise CommandError("Say which jobs: give ids or filters, such as --queue; or give --all.")
    unless_told = operation.allowed if options["ids"] else operation.usual
    return Selection(**{"states": unless_told} | given)


def carry_out(command: BaseCommand, operation: Operation, *, yes: bool, now: datetime) -> None:
    if left_out := operation.selection.left_out():
        command.stderr.write(f"Left out: {', '.join(left_out)}.")
    if yes:
        command.stdout.write(operation.carry_out(now=now))
    else:
        command.stdout.write(f"{operation.preview(now=now)} Add --yes to do it.")
