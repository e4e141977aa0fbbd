"""Ways back from what a button did: true for a while, and only until something else happens."""

from __future__ import annotations

from typing import Any, Final

from django.contrib.admin.models import LogEntry
from django.core import signing
from django.db.models import Model
from django.http import HttpRequest
from django.utils.translation import gettext as _

GOOD_FOR_SECONDS: Final = 3600
MEMORY: Final = "undo"
"""The parameter that carries what an undo must know."""


class TooLate(Exception):
    """Why something can't be undone any more, in a sentence."""


def signed(name: str, entry: LogEntry, memory: dict[str, Any]) -> str:
    """What `name`, the button that undoes it, must know of what the log's entry tells."""
    return signing.dumps({**memory, "entry": entry.pk}, salt=_salt(name), compress=True)


def remembered(request: HttpRequest, name: str, row: Model) -> dict[str, Any] | None:
    """The same, read again; None if this is no undo. Raises `TooLate`."""
    token = request.GET.get(MEMORY)
    if token is None:
        return None
    try:
        memory: dict[str, Any] = signing.loads(token, salt=_salt(name), max_age=GOOD_FOR_SECONDS)
        entry = LogEntry.objects.get(pk=memory.pop("entry"), object_id=str(row.pk))
    except (signing.BadSignature, LogEntry.DoesNotExist):
        raise TooLate(_("It is too late to undo that.")) from None
    since = LogEntry.objects.filter(content_type=entry.content_type_id, object_id=entry.object_id)
    if later := since.filter(pk__gt=entry.pk).order_by("pk").first():
        told = {"row": row, "user": later.user}
        raise TooLate(
            _("It is too late to undo that: %(user)s has changed %(row)s since then.") % told
        )
    return memory


def _salt(name: str) -> str:
    return f"forge_jobs.undo.{name}"
