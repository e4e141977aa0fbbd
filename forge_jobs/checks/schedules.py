"""Checks of the schedules that code declares."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from django.apps.config import AppConfig
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from forge_jobs.conf import conf
from forge_jobs.conf.schedules import DeclaredSchedule
from forge_jobs.exceptions import EnqueueError, UnknownKind
from forge_jobs.handlers.registry import registry
from forge_jobs.schedules import timetable
from forge_jobs.wording import listed, meant


def check_schedules(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    try:
        declared = list(timetable.every_declared())
    except ImproperlyConfigured:
        return []  # which E001 tells of
    found = [message for one in declared for message in _faults(one)]
    return [*found, *_shared_names(declared)]


def _faults(declared: DeclaredSchedule) -> Iterator[CheckMessage]:
    try:
        registry.get(declared.kind).stored(dict(declared.payload))
    except UnknownKind as error:
        yield Error(
            f"The schedule {declared.name!r} is for a kind that no handler has: {error}",
            hint="Its jobs could be neither made nor run.",
            id="forge_jobs.E010",
        )
    except EnqueueError as error:
        yield Error(
            f"The schedule {declared.name!r} can't make jobs: {error}",
            hint="Give it a payload with what the handler takes.",
            id="forge_jobs.E011",
        )
    if declared.queue and declared.queue not in (queues := conf().queues):
        yield Error(
            f"The schedule {declared.name!r} names the queue {declared.queue!r}, which is not "
            f'declared in FORGE_JOBS["QUEUES"].{meant(declared.queue, queues)}',
            hint=f"Declare it, or name one of {listed(queues)}.",
            id="forge_jobs.E013",
        )


def _shared_names(declared: list[DeclaredSchedule]) -> Iterator[CheckMessage]:
    counts = Counter(one.name for one in declared)
    for name in (name for name, count in counts.items() if count > 1):
        kinds = ", ".join(one.kind for one in declared if one.name == name)
        yield Error(
            f"{counts[name]} schedules have the name {name!r}.",
            hint=f"They are for {kinds}; rename all but one of them.",
            id="forge_jobs.E012",
        )
