"""The states that jobs and processes go through, the sets of them that queries ask for, events."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    SCHEDULED = "scheduled", _("scheduled")
    READY = "ready", _("ready")
    BLOCKED = "blocked", _("blocked")
    HELD = "held", _("held")
    RUNNING = "running", _("running")
    RETRYING = "retrying", _("retrying")
    SUCCEEDED = "succeeded", _("succeeded")
    DEAD = "dead", _("dead")
    CANCELLED = "cancelled", _("cancelled")


WAITING: Final = (State.SCHEDULED, State.RETRYING)
UNFINISHED: Final = (
    State.SCHEDULED,
    State.READY,
    State.BLOCKED,
    State.HELD,
    State.RUNNING,
    State.RETRYING,
)
TERMINAL: Final = (State.SUCCEEDED, State.DEAD, State.CANCELLED)


class BatchState(TextChoices):
    """Of a set of jobs: it may grow, it is complete, or all of its jobs have ended."""

    OPEN = "open", _("open")
    SEALED = "sealed", _("sealed")
    SUCCEEDED = "succeeded", _("succeeded")
    FAILED = "failed", _("failed")


class GateState(TextChoices):
    """Of what jobs come after: they wait for it, may go, or will never be able to."""

    CLOSED = "closed", _("closed")
    OPEN = "open", _("open")
    BROKEN = "broken", _("broken")


class Needs(TextChoices):
    """How a predecessor must have ended."""

    SUCCESS = "success", _("success")
    FAILURE = "failure", _("failure")
    END = "end", _("end")


class ProcessState(TextChoices):
    RUNNING = "running", _("running")
    QUIET = "quiet", _("quiet")
    STOPPING = "stopping", _("stopping")


class Role(TextChoices):
    """What a row that a run has stored is to the runs after it."""

    STEP = "step", _("step")
    CURSOR = "cursor", _("cursor")
    CHECKPOINT = "checkpoint", _("checkpoint")


class Event(TextChoices):
    """What can happen to a job; the second group is what people do."""

    ENQUEUED = "enqueued", _("enqueued")
    STARTED = "started", _("started")
    SUCCEEDED = "succeeded", _("succeeded")
    RETRIED = "retried", _("failed, to be tried again")
    DEAD = "dead", _("dead")
    CANCELLED = "cancelled", _("cancelled")
    THROTTLED = "throttled", _("throttled")
    SNOOZED = "snoozed", _("snoozed")
    RELEASED = "released", _("given back")
    LOST = "lost", _("lost with its process")

    CANCEL_REQUESTED = "cancel_requested", _("asked to stop")
    KILL_REQUESTED = "kill_requested", _("told to be killed")
    REQUEUED = "requeued", _("requeued")
    RUN_NOW = "run_now", _("made due")


class ChildEnd(TextChoices):
    """Why a child of a pool was not used any more, and made way for another."""

    ENDED = "ended", _("ended unasked")
    GARBAGE = "garbage", _("broke the protocol")
    TIMED_OUT = "timed_out", _("job timed out")
    CANCELLED = "cancelled", _("job cancelled or killed")
    MEMORY = "memory", _("used too much memory")
    JOBS = "jobs", _("enough jobs done")
    UNFIT = "unfit", _("could not start")
