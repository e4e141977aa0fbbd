"""`manage.py jobs process`: shows the processes, and calms or stops one of them."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime

from django.core.management import CommandError

from forge_jobs.management import parsing, status_report
from forge_jobs.management.rendering import document
from forge_jobs.models import Process
from forge_jobs.operations.status import Status
from forge_jobs.wording import listed, meant

BY = "manage.py jobs"


def add_arguments(parser: ArgumentParser) -> None:
    add = parser.add_argument
    parsing.add_name(parser, "process")
    add("--host", type=parsing.words, help="the host of the process, where two have the name")
    wish = parser.add_mutually_exclusive_group()
    wish.add_argument("--quiet", action="store_true", help="let it finish, and claim nothing more")
    wish.add_argument("--claim", action="store_true", help="let a quiet one claim again")
    wish.add_argument("--stop", action="store_true", help="let it end in order, as by SIGTERM")
    add("--json", dest="as_json", action="store_true", help="one JSON document")


def carry_out(
    *,
    name: str | None,
    host: str | None,
    quiet: bool,
    claim: bool,
    stop: bool,
    as_json: bool,
    now: datetime,
    **options: object,
) -> str:
    """Do what is asked for; returns what there is to say."""
    if name is None and (quiet or claim or stop):
        raise CommandError("Say which process: jobs process NAME ...")
    status = Status.read(now=now)
    if name is None:
        shown, told = list(status.processes), []
    else:
        process = _named(name, host, status)
        shown, told = [process], _steered(process, quiet=quiet, claim=claim, stop=stop)
    if as_json:
        return document([status_report.process_document(one, status) for one in shown])
    return "\n".join([*told, *status_report.process_table(shown, status)])


def _named(name: str, host: str | None, status: Status) -> Process:
    found = [
        one for one in status.processes if one.name == name and (host is None or one.host == host)
    ]
    if not found:
        names = sorted({one.name for one in status.processes})
        where = f" on {host}" if host else ""
        others = f", only {listed(names)}" if names else ""
        raise CommandError(f"There is no process {name}{where}{others}.{meant(name, names)}")
    if len(found) > 1:
        hosts = listed(sorted(one.host for one in found))
        raise CommandError(f"Several processes have the name {name}; add --host, one of {hosts}.")
    return found[0]


def _steered(process: Process, *, quiet: bool, claim: bool, stop: bool) -> list[str]:
    row = Process.objects.filter(pk=process.pk)
    if quiet:
        told = "Asked to be quiet." if row.make_quiet(by=BY) else "It was asked to already."
    elif claim:
        told = "Asked to claim again." if row.let_claim(by=BY) else "It was not made quiet."
    elif stop:
        told = "Asked to stop." if row.stop(by=BY) else "It was asked to already."
    else:
        return []
    return [told, ""]
