"""What a schedule does when fires overlap or were missed, and who owns it."""

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Overlap(TextChoices):
    """What a fire does while the job of an earlier one is unfinished."""

    SKIP = "skip", _("skip: make no job")
    QUEUE = "queue", _("queue: make one all the same")
    REPLACE = "replace", _("replace: cancel the unfinished one")


class CatchUp(TextChoices):
    """What becomes of due moments that nobody was there to fire."""

    SKIP = "skip", _("skip: nothing")
    ONCE = "once", _("once: one job for all of them")
    ALL = "all", _("all: one job each, for the newest 100")


class Source(TextChoices):
    CODE = "code", _("code")
    OPERATOR = "operator", _("operator")
