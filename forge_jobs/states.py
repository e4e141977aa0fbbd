"""The states that jobs and processes go through, and the sets of them that queries ask for."""

from typing import Final

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class State(TextChoices):
    SCHEDULED = "scheduled", _("scheduled")
    READY = "ready", _("ready")
    BLOCKED = "blocked", _("blocked")
    RUNNING = "running", _("running")
    RETRYING = "retrying", _("retrying")
    SUCCEEDED = "succeeded", _("succeeded")
    DEAD = "dead", _("dead")
    CANCELLED = "cancelled", _("cancelled")


WAITING: Final = (State.SCHEDULED, State.RETRYING)
UNFINISHED: Final = (State.SCHEDULED, State.READY, State.BLOCKED, State.RUNNING, State.RETRYING)
TERMINAL: Final = (State.SUCCEEDED, State.DEAD, State.CANCELLED)


class ProcessState(TextChoices):
    RUNNING = "running", _("running")
    QUIET = "quiet", _("quiet")
    STOPPING = "stopping", _("stopping")
