"""`manage.py jobs batch`: lists batches, shows one with its parts, and steers it."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError

from forge_jobs import clock
from forge_jobs.dashboard import batches
from forge_jobs.dashboard.batches import BatchLine, BatchPage
from forge_jobs.management import kin_report, parsing, steering
from forge_jobs.management.rendering import NOTHING, ago, document, facts, shortened, table
from forge_jobs.models import Batch, BatchState
from forge_jobs.states import TERMINAL

HEADS: Final = ("id", "batch", "state", "done", "opened", "ends", "jobs")
LONGEST_NAME: Final = 32
USUAL: Final = 20
MOST: Final = 1_000
BY: Final = "manage.py jobs"


def add_verbs(
    parser: ArgumentParser, command: BaseCommand, *, add_usual: Callable[[ArgumentParser], None]
) -> None:
    with parsing.verbs_of(parser, command, add_usual=add_usual) as verb:
        listing = verb("list", show_all, "Lists batches, the newest first.")
        listing.add_argument("--state", choices=BatchState.values, help="(default: all)")
        listing.add_argument(
            "--limit",
            type=parsing.count(MOST),
            default=USUAL,
            metavar="N",
            help=f"how many at most, up to {MOST:,} (default: {USUAL})",
        )
        shown = verb("show", show, "Shows all of one batch.")
        for one in (listing, shown):
            one.add_argument(
                "--json", dest="as_json", action="store_true", help="one JSON document"
            )
        cancelling = verb("cancel", cancel, "Seals a batch, and cancels all that has not ended.")
        steering.add_reason(cancelling, "cancelled by an operator")
        requeueing = verb("requeue", requeue, "Lets its jobs that failed run again.")
        sealing = verb("seal", seal, "Says that a batch is complete.")
        for one in (shown, cancelling, requeueing, sealing):
            one.add_argument("pk", type=parsing.batch_id, metavar="ID")
        for one in (cancelling, requeueing, sealing):
            one.add_argument(
                "--yes", action="store_true", help="do it, instead of saying what would be"
            )


def show_all(
    command: BaseCommand, *, state: str | None, limit: int, as_json: bool, **options: Any
) -> None:
    now = clock.now()
    rows = Batch.objects.order_by("-pk")
    lines = batches.lines((rows.filter(state=state) if state else rows)[:limit], now=now)
    if as_json:
        command.stdout.write(document([_fields(line) for line in lines]))
    elif lines:
        cells = [_cells(line, now=now) for line in lines]
        command.stdout.write("\n".join(table(HEADS, cells, right={"id", "done"})))
    else:
        command.stdout.write("There are no such batches.")


def show(command: BaseCommand, *, pk: int, as_json: bool, **options: Any) -> None:
    now = clock.now()
    page = BatchPage.read(_batch(pk), now=now)
    if as_json:
        parts = [_fields(part) for part in page.parts]
        command.stdout.write(document({**_fields(page.line), "parts": parts}))
        return
    told = [str(page.line.row), *facts(_facts(page, now=now))]
    if page.parts:
        cells = [_cells(part, now=now) for part in page.parts]
        told += ["", *table(HEADS, cells, right={"id", "done"})]
    if behind := kin_report.as_lines("comes before", page.followers):
        told += ["", *behind]
    command.stdout.write("\n".join(told))


def cancel(command: BaseCommand, *, pk: int, reason: str, yes: bool, **options: Any) -> None:
    batch = _batch(pk)
    if batch.has_ended:
        raise CommandError(f"Batch {batch} has ended: it is {batch.state}.")
    if yes:
        jobs = batch.cancel(reason, by=BY)
        command.stdout.write(f"{_jobs(jobs)} of {batch} cancelled, or asked to stop.")
    else:
        jobs = batch.all_jobs().cancellable().count()
        _preview(command, f"Would cancel {_jobs(jobs)} of {batch}.")


def requeue(command: BaseCommand, *, pk: int, yes: bool, **options: Any) -> None:
    batch = _batch(pk)
    if yes:
        jobs = batch.requeue(by=BY)
        command.stdout.write(f"{_jobs(jobs)} of {batch} requeued.")
    else:
        _preview(command, f"Would requeue {_jobs(batch.failed_jobs().count())} of {batch}.")


def seal(command: BaseCommand, *, pk: int, yes: bool, **options: Any) -> None:
    batch = _batch(pk)
    if batch.state != BatchState.OPEN:
        raise CommandError(f"Batch {batch} is {batch.state} already.")
    if yes:
        changed = batch.seal()
        command.stdout.write(f"{batch} is {'' if changed else 'already '}sealed.")
    else:
        _preview(command, f"Would seal {batch}.")


def _preview(command: BaseCommand, told: str) -> None:
    command.stdout.write(f"{told} Add --yes to do it.")


def _batch(pk: int) -> Batch:
    batch = Batch.objects.filter(pk=pk).first()
    if batch is None:
        raise CommandError(f"There is no batch with the id {pk}.")
    return batch


def _jobs(number: int) -> str:
    return f"{number:,} job{'' if number == 1 else 's'}"


def _facts(page: BatchPage, *, now: datetime) -> dict[str, str]:
    line = page.line
    return {
        "state": line.row.state,
        "done": f"{line.percent} %",
        "jobs": _states(line),
        "parts": f"{line.parts.ended} of {line.parts.total} ended" if line.parts.total else "",
        "part of": str(page.parent or ""),
        "opened": ago(line.row.opened_at, now=now),
        "sealed": ago(line.row.sealed_at, now=now) if line.row.sealed_at else "",
        "ends": _end(line, now=now),
    }


def _cells(line: BatchLine, *, now: datetime) -> list[str]:
    return [
        str(line.row.pk),
        shortened(line.row.name, LONGEST_NAME),
        line.row.state,
        f"{line.percent} %",
        ago(line.row.opened_at, now=now),
        _end(line, now=now),
        _states(line),
    ]


def _end(line: BatchLine, *, now: datetime) -> str:
    """When it ended, or will at the pace so far."""
    moment = line.row.ended_at or line.ends_at
    return ago(moment, now=now) if moment else NOTHING


def _states(line: BatchLine) -> str:
    return ", ".join(f"{number:,} {state}" for state, number in line.states) or NOTHING


def _fields(line: BatchLine) -> dict[str, Any]:
    row = line.row
    return {
        "id": row.pk,
        "name": row.name,
        "state": row.state,
        "percent": line.percent,
        "counts": dict(line.counts),
        "left": line.total - sum(line.counts.get(state, 0) for state in TERMINAL),
        "opened_at": row.opened_at.isoformat(),
        "sealed_at": row.sealed_at.isoformat() if row.sealed_at else None,
        "ended_at": row.ended_at.isoformat() if row.ended_at else None,
        "expected_end_at": line.ends_at.isoformat() if line.ends_at else None,
        "part_of": row.parent_id,
    }
