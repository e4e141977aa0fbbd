"""What happened to a job, moment by moment, as far as its own row tells."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from forge_jobs.models import Job, State
from forge_jobs.states import TERMINAL, WAITING


@dataclass(frozen=True, kw_only=True)
class Moment:
    """Something that happened; `tone` is the state whose colour it has, `detail` says more."""

    at: datetime
    title: str | Promise
    tone: str
    detail: str = ""
    is_to_come: bool = False


def timeline(job: Job, *, now: datetime) -> list[Moment]:
    """The oldest first; what is still to come is last."""
    return sorted(_of_row(job, now=now), key=lambda moment: moment.at)


def _of_row(job: Job, *, now: datetime) -> Iterator[Moment]:
    yield Moment(at=job.enqueued_at, title=_("Enqueued"), tone="")
    for error in job.errors:
        title = _("Attempt %(attempt)s failed") % {"attempt": error.get("attempt", "?")}
        detail = str(error.get("message", "")).split("\n")[0]
        yield Moment(
            at=datetime.fromisoformat(error["at"]), title=title, tone=State.RETRYING, detail=detail
        )
    if job.started_at:
        title = _("Attempt %(attempt)s began") % {"attempt": job.attempt}
        yield Moment(at=job.started_at, title=title, tone=State.RUNNING)
    if job.cancel_requested_at:
        yield _asked_to_stop(job, job.cancel_requested_at)
    if job.state in TERMINAL and job.finished_at:
        title = State(job.state).label.capitalize()
        yield Moment(at=job.finished_at, title=title, tone=job.state)
    elif job.state in WAITING or job.run_at > job.enqueued_at:
        yield Moment(at=job.run_at, title=_("Due"), tone="", is_to_come=job.run_at > now)


def _asked_to_stop(job: Job, at: datetime) -> Moment:
    title = _("Asked to stop")
    if job.is_to_be_killed:
        title = _("Killed")
    who = _("by %(name)s") % {"name": job.cancelled_by} if job.cancelled_by else ""
    detail = ": ".join(part for part in (who, job.cancel_reason) if part)
    return Moment(at=at, title=title, tone=State.CANCELLED, detail=detail)
