"""`manage.py jobs schedule`: lists schedules, and adds, switches, triggers or removes them."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from forge_jobs import clock
from forge_jobs.conf.policies import CatchUp, Overlap, Source
from forge_jobs.exceptions import EnqueueError
from forge_jobs.management import parsing, schedule_report
from forge_jobs.models import Schedule
from forge_jobs.wording import listed, meant

OPTIONS: Final = (
    "payload",
    "timezone",
    "queue",
    "priority",
    "overlap",
    "catch_up",
    "max_attempts",
    "starts_at",
    "ends_at",
)


def add_verbs(
    parser: ArgumentParser, command: BaseCommand, *, add_usual: Callable[[ArgumentParser], None]
) -> None:
    with parsing.verbs_of(parser, command, add_usual=add_usual) as verb:
        listed = verb("list", show, "Shows all schedules: what they mean, and how they fare.")
        listed.add_argument("--json", dest="as_json", action="store_true", help="one JSON document")
        _add_options(verb("add", add, "Stores a schedule."))
        for name, act, text in (
            ("enable", enable, "Lets schedules fire, from their next due moment on."),
            ("disable", disable, "Lets schedules fire no more."),
            ("remove", remove, "Deletes schedules; the jobs that they made stay."),
        ):
            verb(name, act, text).add_argument(
                "names", type=parsing.words, nargs="+", metavar="NAME"
            )
        now = verb("trigger", trigger, "Makes one job now, and prints its id; the plan stays.")
        now.add_argument("name", type=parsing.words, metavar="NAME")


def show(command: BaseCommand, *, as_json: bool, **options: Any) -> None:
    report = schedule_report.as_json if as_json else schedule_report.as_text
    command.stdout.write(report(list(Schedule.objects.order_by("name")), now=clock.now()))


def add(
    command: BaseCommand,
    *,
    name: str,
    kind: str,
    expression: str,
    jitter: timedelta,
    disabled: bool,
    **options: Any,
) -> None:
    given = {key: options[key] for key in OPTIONS if options[key] is not None}
    schedule = Schedule(
        name=name,
        kind=kind,
        expression=expression,
        jitter_seconds=jitter.total_seconds(),
        is_enabled=not disabled,
        **given,
    )
    try:
        schedule.full_clean()
    except ValidationError as error:
        faults = error.message_dict.items()
        raise CommandError(
            "\n".join(f"{field}: {' '.join(messages)}" for field, messages in faults)
        ) from error
    schedule.save(force_insert=True)
    command.stdout.write(schedule_report.as_text([schedule], now=clock.now()))


def enable(command: BaseCommand, *, names: list[str], **options: Any) -> None:
    for schedule in _named(names):
        changed = schedule.enable()
        command.stdout.write(f"{schedule} {'is' if changed else 'was already'} enabled.")


def disable(command: BaseCommand, *, names: list[str], **options: Any) -> None:
    for schedule in _named(names):
        changed = schedule.disable()
        command.stdout.write(f"{schedule} {'is' if changed else 'was already'} disabled.")


def remove(command: BaseCommand, *, names: list[str], **options: Any) -> None:
    schedules = _named(names)
    for schedule in schedules:
        if schedule.source == Source.CODE and schedule.seed:
            raise CommandError(
                f"{schedule} is declared in code and would come back: disable it, or remove it "
                f"there."
            )
    for schedule in schedules:
        schedule.delete()
        command.stdout.write(f"{schedule} is removed.")


def trigger(command: BaseCommand, *, name: str, **options: Any) -> None:
    (schedule,) = _named([name])
    try:
        job = schedule.trigger(by="manage.py jobs")
    except EnqueueError as error:
        raise CommandError(str(error)) from error
    if job is None:
        raise CommandError(f"No job was made: the last one of {schedule} is unfinished.")
    command.stdout.write(str(job.pk))


def _named(names: list[str]) -> list[Schedule]:
    found = {schedule.name: schedule for schedule in Schedule.objects.filter(name__in=names)}
    for name in names:
        if name not in found:
            known = list(Schedule.objects.order_by("name").values_list("name", flat=True))
            raise CommandError(
                f"There is no schedule {name!r}. There are: {listed(known)}.{meant(name, known)}"
            )
    return [found[name] for name in dict.fromkeys(names)]


def _add_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("name", type=parsing.words, metavar="NAME")
    add("kind", type=parsing.words, metavar="KIND")
    add("expression", metavar="EXPRESSION", help="such as '*/5 * * * *', or '@every 30s'")
    add("payload", type=parsing.payload, nargs="?", metavar="JSON", help="(default: {})")
    add("--timezone", metavar="ZONE", help="such as Europe/Berlin (default: the project's)")
    add("--queue", help="(default: the handler's)")
    add("--priority", type=int, help="-100 to 100, higher runs first (default: the handler's)")
    add(
        "--overlap", choices=Overlap.values, help="while the last job is unfinished (default: skip)"
    )
    add("--catch-up", choices=CatchUp.values, help="of moments missed in an outage (default: once)")
    add(
        "--jitter",
        type=parsing.duration,
        default=timedelta(0),
        metavar="30s",
        help="each job runs up to so much later",
    )
    add("--max-attempts", type=int, metavar="N", help="(default: the handler's)")
    add("--starts-at", type=parsing.moment, metavar="MOMENT", help="nothing is due before")
    add("--ends-at", type=parsing.moment, metavar="MOMENT", help="nothing is due after")
    add("--disabled", action="store_true", help="store it, and let it not fire yet")
