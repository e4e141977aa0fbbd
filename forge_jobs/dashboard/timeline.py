"""What happened to a job, moment by moment: its events, and what its own row tells beside them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from forge_jobs.dashboard.errors import JobError
from forge_jobs.durations import spelled
from forge_jobs.models import Event, Job, JobEvent, State
from forge_jobs.states import TERMINAL, WAITING

Told = AbstractSet[tuple[str, int | None]]

MOST_EVENTS: Final = 200
TONES: Final = {
    Event.STARTED: State.RUNNING,
    Event.SUCCEEDED: State.SUCCEEDED,
    Event.RETRIED: State.RETRYING,
    Event.LOST: State.RETRYING,
    Event.DEAD: State.DEAD,
    Event.THROTTLED: State.SCHEDULED,
    Event.SNOOZED: State.SCHEDULED,
    Event.REQUEUED: State.READY,
    Event.RUN_NOW: State.READY,
    Event.CANCELLED: State.CANCELLED,
    Event.CANCEL_REQUESTED: State.CANCELLED,
    Event.KILL_REQUESTED: State.CANCELLED,
}


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened; `tone` is the state whose colour it has, `detail` says more."""

    at: datetime
    title: str | Promise
    tone: str
    detail: str = ""
    is_to_come: bool = False


def timeline(job: Job, errors: Sequence[JobError], *, now: datetime) -> list[Moment]:
    """The oldest first; what is still to come is last.

    What a process does is there about two seconds later; of very many jobs at once, those that go
    well may have no events.
    """
    events = list(JobEvent.objects.filter(job_id=job.pk).order_by("-id")[:MOST_EVENTS])
    told = {(event.event, event.attempt) for event in events}
    moments = [*map(_of_event, events), *_of_row(job, errors, told, now=now)]
    return sorted(moments, key=lambda moment: moment.at)


def _of_event(event: JobEvent) -> Moment:
    title: str | Promise = capfirst(Event(event.event).label)
    if event.event == Event.STARTED:
        title = _("Attempt %(attempt)s began") % {"attempt": event.attempt}
    took = _("after %(time)s") % {"time": spelled(event.seconds)} if event.seconds else ""
    where = _("in %(process)s") % {"process": event.process_name} if event.process_name else ""
    who = _("by %(name)s") % {"name": event.by} if event.by else ""
    facts = " ".join(filter(None, (took, where, who)))
    detail = ": ".join(filter(None, (facts, event.detail.split("\n")[0])))
    return Moment(at=event.at, title=title, tone=TONES.get(Event(event.event), ""), detail=detail)


def _of_row(job: Job, errors: Sequence[JobError], told: Told, *, now: datetime) -> Iterator[Moment]:
    """What no event tells of."""
    yield Moment(at=job.enqueued_at, title=_("Enqueued"), tone="")
    for error in errors:
        if not _is_told(told, (Event.RETRIED, Event.DEAD, Event.LOST), error.attempt):
            title = _("Attempt %(attempt)s failed") % {"attempt": error.attempt or "?"}
            detail = error.message.split("\n")[0]
            yield Moment(at=error.at, title=title, tone=State.RETRYING, detail=detail)
    if job.started_at and not _is_told(told, (Event.STARTED,), job.attempt):
        title = _("Attempt %(attempt)s began") % {"attempt": job.attempt}
        yield Moment(at=job.started_at, title=title, tone=State.RUNNING)
    asked = {event for event, _attempt in told} & {Event.CANCEL_REQUESTED, Event.KILL_REQUESTED}
    if job.cancel_requested_at and not asked and not _was_waiting(job):
        title = _("Killed") if job.is_to_be_killed else _("Asked to stop")
        yield _of_wish(job, job.cancel_requested_at, title)
    if job.state in TERMINAL and job.finished_at:
        yield from _of_end(job, job.finished_at, told)
    elif job.state in WAITING or job.run_at > job.enqueued_at:
        yield Moment(at=job.run_at, title=_("Due"), tone="", is_to_come=job.run_at > now)
    if job.expires_at and job.state not in TERMINAL:
        yield Moment(at=job.expires_at, title=_("Expires"), tone="", is_to_come=True)


def _is_told(told: Told, events: Sequence[Event], attempt: int | None) -> bool:
    return any((event, attempt) in told for event in events)


def _of_end(job: Job, at: datetime, told: Told) -> Iterator[Moment]:
    title = State(job.state).label.capitalize()
    if _was_waiting(job):
        if (Event.CANCELLED, None) not in told:
            yield _of_wish(job, at, title)
    elif not _is_told(told, (Event(job.state),), job.attempt):
        yield Moment(at=at, title=title, tone=job.state)


def _was_waiting(job: Job) -> bool:
    """Whether it was cancelled without being run: the wish and the end are one."""
    was_cancelled = job.state == State.CANCELLED and job.cancel_requested_at == job.finished_at
    return was_cancelled or job.was_given_up


def _of_wish(job: Job, at: datetime, title: str) -> Moment:
    who = _("by %(name)s") % {"name": job.cancelled_by} if job.cancelled_by else ""
    detail = ": ".join(part for part in (who, job.cancel_reason) if part)
    return Moment(at=at, title=title, tone=State.CANCELLED, detail=detail)
