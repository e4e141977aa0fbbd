"""Finds in a schedule what could never make a job, as `enqueue()` would."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from forge_jobs import jsontext
from forge_jobs.conf import conf
from forge_jobs.exceptions import EnqueueError
from forge_jobs.handlers.registry import registry

if TYPE_CHECKING:
    from forge_jobs.models.schedule import Schedule


def faults(schedule: Schedule) -> Iterator[tuple[str, str]]:
    """Which columns are at fault, and why."""
    if schedule.starts_at and schedule.ends_at and schedule.starts_at > schedule.ends_at:
        yield "ends_at", _("It ends before it starts.")
    if schedule.queue and schedule.queue not in (queues := conf().queues):
        yield "queue", _("It is none of %(known)s.") % {"known": ", ".join(queues)}
    if not isinstance(schedule.payload, dict):
        yield "payload", _("It must be an object of keyword arguments.")
        return
    try:
        jsontext.dumps(schedule.payload, name="payload")
        registry.get(schedule.kind).stored(schedule.payload)
    except jsontext.NotJSON as error:
        yield "payload", str(error)
    except EnqueueError as error:
        yield error.field, str(error)
